/** For tests: tsimg as a process of its own, made of these sources. */

import { type ChildProcess, spawn } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build as bundle } from 'esbuild';
import type { BuildBench } from './testing.ts';

export interface Ended {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export class TsimgCommand {
  readonly #bench: BuildBench;
  readonly #script: string;

  private constructor(bench: BuildBench) {
    this.#bench = bench;
    this.#script = join(bench.directory.path, 'tsimg.cjs');
  }

  static async make(bench: BuildBench): Promise<TsimgCommand> {
    const command = new TsimgCommand(bench);
    const root = resolve(__dirname, '../../..');
    await bundle({
      entryPoints: [join(root, 'imagetool/src/cli/main.ts')],
      outfile: command.#script,
      bundle: true,
      format: 'cjs',
      platform: 'node',
      logLevel: 'error',
      external: ['koffi'],
    });
    symlinkSync(join(root, 'node_modules'), join(bench.directory.path, 'node_modules'));
    return command;
  }

  /** Program and arguments, on the bench's store. */
  argv(...args: readonly string[]): [string, ...string[]] {
    return [process.execPath, this.#script, '--root', this.#bench.storeRoot, ...args];
  }

  /** `env` is added to the environment. */
  start(env: Readonly<Record<string, string>>, ...args: readonly string[]): ChildProcess {
    const [file, ...rest] = this.argv(...args);
    return spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  }

  /** Runs to its end, with `input` as its standard input. */
  async run(input: string | Buffer, ...args: readonly string[]): Promise<Ended> {
    return await ended(this.start({}, ...args), input);
  }
}

/** What does not come in this time, on a machine however busy, does not come. */
const SHOW_MS = 50_000;

/** A command at a terminal of its own (script(1)). */
export class AtTerminal implements Disposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #text = '';
  #isOver = false;

  constructor(argv: readonly string[]) {
    // script(1) starts a shell, and not each of them takes a last command's place: it would have the signals of the terminal too, and its own exit code.
    const words = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    this.#child = spawn('script', ['-qec', `exec ${words}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#text += chunk.toString('utf8');
      });
    this.#ended = new Promise((done) => {
      this.#child.once('close', (code) => {
        this.#isOver = true;
        done(code);
      });
    });
  }

  /** The terminal goes, and with it what runs there. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  get text(): string {
    return this.#text;
  }

  /** Waits until it has shown something. */
  async shows(what: RegExp): Promise<void> {
    const deadline = Date.now() + SHOW_MS;
    while (!what.test(this.#text)) {
      if (this.#isOver || Date.now() > deadline) throw new Error(`it did not show ${what}: ${this.#text}`);
      await sleep(10);
    }
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  async ends(): Promise<number | null> {
    return await this.#ended;
  }
}

/** Feeds and waits for a process with pipes. */
export async function ended(child: ChildProcess, input: string | Buffer): Promise<Ended> {
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // It may end without reading.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const status = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  return { status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') };
}
