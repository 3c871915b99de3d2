/**
 * A containerd of a test's own: root, state and sockets in a temporary directory, in mount and network namespaces with a /run that nobody else sees. Its
 * shims find their default places there, and what they leave behind can be counted.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Requirement } from '../../.scripts/jest/requirement.ts';
import type { TaskRecord } from '../src/task/record.ts';

export const RUNTIME = 'io.containerd.tsrun.v2';
const ROOT = resolve(__dirname, '../..');
export const shimPath = join(ROOT, 'dist/bin/containerd-shim-tsrun-v2');
/** Of a busy machine, or an emulated one. */
const COMMAND_TIMEOUT_MS = 120_000;
const APPLETS = ['sh', 'true', 'sleep', 'echo', 'cat', 'ls', 'id', 'head', 'dd', 'kill', 'seq', 'tail'];

export interface Binaries {
  /** As in "1.6", or the suite it was looked for in. */
  readonly name: string;
  /** Of containerd and ctr. */
  readonly folder: string;
  readonly requirement: Requirement;
}

/** The installed containerd, those of newer suites of Debian, fetched when they are first asked for, and one in the folder TSRUN_CONTAINERD. */
export function findContainerds(): Binaries[] {
  const own = process.env['TSRUN_CONTAINERD'];
  return [
    containerdIn('installed', '/usr/bin'),
    ...['trixie', 'sid'].map(fetchedContainerd),
    ...(own === undefined ? [] : [containerdIn('TSRUN_CONTAINERD', own)]),
  ];
}

function fetchedContainerd(suite: string): Binaries {
  return containerdIn(suite, join(fetchedPackage(suite, 'containerd') ?? '/nonexistent', 'usr/bin'));
}

/** The folder of a package of Debian, fetched when it is first asked for; undefined where there are no packages of Debian. */
export function fetchedPackage(suite: string, name: string): string | undefined {
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, '.scripts/fetch-package.mjs'), suite, name], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function containerdIn(name: string, folder: string): Binaries {
  const { status, stdout } = spawnSync(join(folder, 'containerd'), ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? /\s(\d+\.\d+)/.exec(stdout.replace(/^\S+\s\S+/, ''))?.[1] : undefined;
  return { name: version ?? name, folder, requirement: { what: `containerd (${name})`, met: version !== undefined } };
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ContainerdOptions {
  /** The CRI plugin, which is off otherwise: TOML of its section. */
  readonly cri?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Containerd {
  readonly directory = mkdtempSync(join(tmpdir(), 'shim-test-'));
  readonly address = join(this.directory, 'c.sock');
  readonly rootfs = join(this.directory, 'rootfs');
  readonly #binaries: Binaries;
  readonly #options: ContainerdOptions;
  readonly #namespaces: ChildProcess;
  #daemon: ChildProcess | undefined;

  constructor(binaries: Binaries, options: ContainerdOptions = {}) {
    this.#binaries = binaries;
    this.#options = options;
    makeRootfs(this.rootfs);
    writeFileSync(join(this.directory, 'config.toml'), this.#config());
    const setup = 'mount -t tmpfs tmpfs /run; ip link set lo up; echo ready; exec sleep 100000';
    this.#namespaces = spawn('unshare', ['-m', '-n', 'sh', '-c', setup], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Seen from outside, what the shims see as `path`. */
  inside(path: string): string {
    return `/proc/${this.#namespaces.pid}/root${path}`;
  }

  /** Starts it, or starts it again, and waits until it answers. */
  async start(): Promise<void> {
    await this.#entered();
    const log = openSync(join(this.directory, 'log'), 'a');
    const environment = {
      PATH: `${ROOT}/dist/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      TSRUN_SHIM_IDLE_SECONDS: '1',
      ...this.#options.environment,
    };
    const command = this.#enter([join(this.#binaries.folder, 'containerd'), '--config', join(this.directory, 'config.toml')]);
    this.#daemon = spawn(command[0] ?? '', command.slice(1), { env: environment, stdio: ['ignore', log, log], detached: true });
    for (let turn = 0; turn < 1000; turn++) {
      if (this.ctr('version').status === 0) return;
      await sleep(50);
    }
    throw new Error(`containerd does not answer:\n${this.log().slice(-3000)}`);
  }

  /** Ends it without a chance to say good-bye, as a crash would. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon?.pid === undefined || daemon.exitCode !== null) return;
    const ended = new Promise((done) => daemon.once('exit', done));
    process.kill(daemon.pid, 'SIGKILL');
    await ended;
  }

  ctr(...words: string[]): Ended {
    return this.run([join(this.#binaries.folder, 'ctr'), '--address', this.address, ...words]);
  }

  /** `ctr run` of a program on the test's root file system. */
  ctrRun(options: string[], id: string, ...program: string[]): Ended {
    return this.ctr('run', '--runtime', RUNTIME, '--rootfs', ...options, this.rootfs, id, ...program);
  }

  /** A command beside the daemon. */
  run(words: readonly string[], timeout = COMMAND_TIMEOUT_MS): Ended {
    const [command = '', ...rest] = this.#enter(words);
    const { status, stdout, stderr, signal } = spawnSync(command, rest, {
      ...{ encoding: 'utf8', timeout, killSignal: 'SIGKILL', input: '' },
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    return { status, stdout, stderr: signal === null ? stderr : `${stderr}\n(${words.join(' ')}: ${signal})` };
  }

  /** The same, while the test goes on. */
  spawn(words: readonly string[]): ChildProcess {
    const [command = '', ...rest] = this.#enter(words);
    return spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
  }

  spawnCtr(...words: string[]): ChildProcess {
    return this.spawn([join(this.#binaries.folder, 'ctr'), '--address', this.address, ...words]);
  }

  log(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8');
  }

  shimLog(): string {
    const home = this.inside('/run/tsrun-shim');
    return list(home)
      .map((key) => readFileSync(join(home, key, 'log'), 'utf8'))
      .join('');
  }

  /** What the shims have on disk of the tasks of the default namespace. */
  taskRecords(): TaskRecord[] {
    const home = this.inside('/run/tsrun-shim');
    const folders = list(home).map((key) => join(home, key, 'tasks'));
    return folders.flatMap((folder) =>
      list(folder).map((id): TaskRecord => JSON.parse(readFileSync(join(folder, id, 'task.json'), 'utf8'))),
    );
  }

  /** Pids of the warm processes. */
  shims(): number[] {
    return this.processes().filter((pid) => commandLine(pid).includes('containerd-shim-tsrun-v2'));
  }

  /** Everybody in the mount namespace but the one who keeps it. */
  processes(): number[] {
    const own = readlinkSync(`/proc/${this.#namespaces.pid}/ns/mnt`);
    return list('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== this.#namespaces.pid && pid !== this.#daemon?.pid && mountNamespace(pid) === own);
  }

  /** What is left when all containers are gone and the shims have ended: nothing, if all is well. */
  async leftovers(): Promise<string[]> {
    await until(() => this.processes().length === 0);
    // Of the machine's own, such as what a guest shares with its host, nothing is ours.
    const outside = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    const mounts = readFileSync(`/proc/${this.#namespaces.pid}/mounts`, 'utf8')
      .split('\n')
      .filter((line) => !outside.includes(line));
    return [
      ...this.processes().map((pid) => `process ${pid}: ${commandLine(pid)}`),
      ...mounts.filter((line) => line.includes(this.directory) || line.includes('tsrun')).map((line) => `mount ${line}`),
      ...list(this.inside('/run/containerd/s')).map((name) => `socket ${name}`),
      ...list(this.inside('/run/containerd/fifo')).map((name) => `pipes ${name}`),
      ...list(this.inside('/run/tsrun-shim')).flatMap((key) =>
        ['tasks', 'runtime/default'].flatMap((name) => list(this.inside(`/run/tsrun-shim/${key}/${name}`)).map((id) => `${name} ${id}`)),
      ),
    ];
  }

  async dispose(): Promise<void> {
    await this.kill();
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    const ended = new Promise((done) => this.#namespaces.once('exit', done));
    this.#namespaces.kill('SIGKILL');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }

  #enter(words: readonly string[]): string[] {
    return ['nsenter', '-t', String(this.#namespaces.pid), '-m', '-n', '--', ...words];
  }

  #entered(): Promise<void> {
    return until(() => commandLine(this.#namespaces.pid ?? 0).startsWith('sleep'));
  }

  #config(): string {
    const off = [
      'snapshotter.v1.aufs',
      'snapshotter.v1.btrfs',
      'snapshotter.v1.zfs',
      'snapshotter.v1.devmapper',
      'snapshotter.v1.blockfile',
    ];
    const disabled = [...off, 'internal.v1.tracing', 'tracing.processor.v1.otlp', 'nri.v1.nri'].map((name) => `io.containerd.${name}`);
    if (this.#options.cri === undefined)
      disabled.push('io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime');
    const directory = this.directory;
    return `version = ${this.#options.cri?.includes('io.containerd.cri.v1') ? 3 : 2}
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ${JSON.stringify(disabled)}
[grpc]
  address = "${this.address}"
[ttrpc]
  address = "${this.address}.ttrpc"
[debug]
  level = "debug"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
${this.#options.cri ?? ''}`;
  }
}

/** Busybox, and nothing else. */
function makeRootfs(path: string): void {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) mkdirSync(join(path, name), { recursive: true });
  const { status } = spawnSync('cp', [busybox() ?? '', join(path, 'bin/busybox')]);
  if (status !== 0) throw new Error('busybox-static is not installed');
  chmodSync(join(path, 'bin/busybox'), 0o755);
  for (const name of APPLETS) symlinkSync('busybox', join(path, 'bin', name));
}

function busybox(): string | undefined {
  return ['/bin/busybox', '/usr/bin/busybox'].find((path) => spawnSync(path, ['true']).status === 0);
}

export const busyboxRequirement: Requirement = { what: 'command busybox', met: busybox() !== undefined };

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function mountNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return '';
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** Waits; whoever calls checks what has become of it. */
export async function until(condition: () => boolean, milliseconds = 60_000): Promise<void> {
  for (const end = Date.now() + milliseconds; !condition() && Date.now() < end; ) await sleep(20);
}
