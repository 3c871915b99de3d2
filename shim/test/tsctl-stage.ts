/** tsctl as a user has it, for tests: the built command, an image of busybox, and namespaces of its own for networks, mounts and the sockets in /run. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtCommand, command, rootUser } from '../../.scripts/jest/requirement.ts';

export const stageRequirements = [
  rootUser,
  builtCommand('tsctl'),
  builtCommand('containerd-shim-tsrun-v2'),
  ...['busybox', 'unshare', 'nsenter', 'ip'].map(command),
];
export const networkTools = ['iptables', 'busybox'].map(command);
/** For one command, and for a hook: machines that run tests are slow. */
export const PATIENCE_MS = 120_000;

const bin = resolve(__dirname, '../../dist/bin');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class TsctlStage {
  readonly directory = mkdtempSync(join(tmpdir(), 'tsctl-test-'));
  readonly #holder: ChildProcess;

  /** Call `close`. */
  static async open(): Promise<TsctlStage> {
    const stage = new TsctlStage();
    try {
      await until(
        () =>
          stage.#namespace('net') !== readlinkSync('/proc/self/ns/net') && stage.#namespace('mnt') !== readlinkSync('/proc/self/ns/mnt'),
      );
      stage.inside(['mount', '-t', 'tmpfs', 'tmpfs', '/run']);
      stage.inside(['ip', 'link', 'set', 'lo', 'up']);
      makeBusyboxImage(stage.directory);
      return stage;
    } catch (error) {
      stage.close();
      throw error;
    }
  }

  private constructor() {
    this.#holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sleep', '3600'], { stdio: 'ignore' });
  }

  #namespace(kind: string): string {
    return readlinkSync(`/proc/${this.#holder.pid}/ns/${kind}`);
  }

  get env(): Record<string, string | undefined> {
    return {
      PATH: process.env['PATH'],
      HOME: this.directory,
      TERM: 'xterm',
      TSRUN_SHIM_HOME: join(this.directory, 'shim'),
      TSRUN_SHIM_IDLE_SECONDS: '60',
    };
  }

  /** What leads into the namespaces. */
  get enter(): string[] {
    return ['nsenter', '-t', String(this.#holder.pid), '-n', '-m', '--'];
  }

  inside(words: readonly string[], input = ''): Result {
    const [program = '', ...args] = [...this.enter, ...words];
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, env: this.env });
    return { code: status, stdout, stderr };
  }

  /** Goes on while the test does. */
  spawnInside(words: readonly string[]) {
    const [program = '', ...args] = [...this.enter, ...words];
    return spawn(program, args, { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** The words of a command of tsctl. */
  line(...words: string[]): string[] {
    return [join(bin, 'tsctl'), '--root', join(this.directory, 'root'), ...words];
  }

  tsctl(...words: string[]): Result {
    return this.inside(this.line(...words));
  }

  succeeds(...words: string[]): string {
    const { code, stdout, stderr } = this.tsctl(...words);
    if (code !== 0) throw new Error(`tsctl ${words.join(' ')}: ${code}\n${stderr}`);
    return stdout;
  }

  /** Of this data root. */
  shimPids(): number[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return words.includes('serve') && words.some((word) => word.startsWith(`${this.directory}/`)) ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
  }

  close(): void {
    const ids = this.tsctl('ps', '-aq')
      .stdout.split('\n')
      .filter((id) => id !== '');
    if (ids.length > 0) this.tsctl('rm', '-f', ...ids);
    for (const pid of this.shimPids()) process.kill(pid, 'SIGTERM');
    this.#holder.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** An image of busybox in the data root below a directory. */
export function makeBusyboxImage(directory: string): void {
  const root = join(directory, 'image');
  for (const name of ['bin', 'etc', 'tmp', 'www']) mkdirSync(join(root, name), { recursive: true });
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  execFileSync('chroot', [root, '/bin/busybox', '--install', '-s', '/bin']);
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/www:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nweb:x:33:\n');
  writeFileSync(join(root, 'www/index.html'), 'It works!\n');
  const archive = join(directory, 'image.tar');
  execFileSync('tar', ['-C', root, '-cf', archive, '.']);
  execFileSync(join(bin, 'tsimg'), ['--root', join(directory, 'root'), 'import', archive, 'busybox', '-c', 'CMD ["sh"]']);
}

/** @throws Error where it does not happen in a minute */
export async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited += 100) {
    if (waited > 60_000) throw new Error(`it does not happen: ${what}`);
    await sleep(100);
  }
}
