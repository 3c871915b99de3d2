import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface Result {
  /** Undefined when a signal ended the command, or the time was over. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /**
   * Standard output goes to this file, standard error to one with `.err` behind its name: whoever keeps them open, such as a container, is
   * not waited for. What they hold at the command's end is in the result.
   */
  readonly outputFile?: string;
}

export const COMMAND_TIMEOUT_MS = 60_000;
const DEFAULT_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Runs a command to its end, with nothing on its standard input. What takes longer than `timeoutMs` is killed, and the promise rejects. */
export async function runCommand(path: string, args: readonly string[], options: CommandOptions = {}): Promise<Result> {
  const { outputFile } = options;
  if (outputFile === undefined) return runWith(path, args, options, ['pipe', 'pipe']);
  const files = [outputFile, `${outputFile}.err`].map((name) => openSync(name, 'a'));
  try {
    const { status } = await runWith(path, args, options, files);
    return { status, stdout: readFileSync(outputFile, 'utf8'), stderr: readFileSync(`${outputFile}.err`, 'utf8') };
  } finally {
    for (const fd of files) closeSync(fd);
  }
}

function runWith(path: string, args: readonly string[], options: CommandOptions, streams: readonly ('pipe' | number)[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { cwd: options.cwd ?? '/', env: options.env ?? DEFAULT_ENV, stdio: ['ignore', ...streams] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // A descendant may hold the streams open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
      reject(new Error(`${path} ${args.join(' ')}: not done after ${(options.timeoutMs ?? COMMAND_TIMEOUT_MS) / 1000} s`));
    }, options.timeoutMs ?? COMMAND_TIMEOUT_MS);
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? undefined, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}
