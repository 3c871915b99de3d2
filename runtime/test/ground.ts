/**
 * The ground that a test of the command line stands on: a directory with bundles, a root directory for the runtime, containers of a busybox
 * root that print what they see, and the check that nothing of them is left. This process adopts what the runtime leaves behind, so that no
 * process can hide.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { builtCommand, describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { stringifyJson } from '../../specs/json/stringify-json.ts';
import type { Config } from '../../specs/runtime/config.ts';
import { cgroupOfProcess, findHierarchy } from '../src/cgroups/hierarchy.ts';
import { tryCall } from '../src/linux/call.ts';
import { shellStatus, waitForExit } from '../src/linux/processes.ts';
import { defaultConfig } from '../src/spec/default-config.ts';
import { createNodeSys } from '../src/sys/node.ts';

const PR_SET_CHILD_SUBREAPER = 36;
const BIN = join(__dirname, '../../dist/bin');
const BUSYBOX = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path)) ?? '';
const busybox = { what: 'static busybox', met: BUSYBOX !== '' && !readFileSync(BUSYBOX).subarray(0, 4096).includes('ld-linux') };

export type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

/** A configuration to be changed, with the groups that tests change already there. */
export type Draft = Mutable<Config> & {
  process: NonNullable<Mutable<Config>['process']>;
  linux: NonNullable<Mutable<Config>['linux']>;
  mounts: NonNullable<Mutable<Config>['mounts']>;
};
export type Change = (config: Draft) => void;

export interface RunOptions {
  /** Furnishes the root file system. */
  readonly rootfs?: (path: string) => void;
  /** Flags of create. */
  readonly flags?: readonly string[];
  /** Descriptors after standard error for `create`. */
  readonly fds?: readonly number[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Who runs the command; root by default. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Runs between create and start. Without it, `run` does all at once. */
  readonly created?: (container: Container) => void;
}

export interface Container {
  readonly id: string;
  readonly pid: number;
  readonly bundle: string;
}

export interface Seen {
  /** As a shell reports it. */
  readonly status: number;
  readonly output: string;
  /** Lines of the output. */
  readonly lines: readonly string[];
}

/** Runs `body` once for each engine that the command line has. */
export function onBothEngines(name: string, body: (ground: () => Ground) => void): void {
  describe.each(['tsrun', 'tsrun-node'])('%s', (command) => {
    describeWith([rootUser, busybox, builtCommand(command)], name, () => {
      let ground: Ground;
      beforeAll(() => {
        ground = new Ground(join(BIN, command));
      });
      afterEach(() => ground.expectNothingLeft());
      afterAll(() => ground.dispose());
      body(() => ground);
    });
  });
}

export class Ground {
  readonly sys = createNodeSys();
  readonly command: string;
  readonly directory: string;
  readonly root: string;
  readonly #prefix: string;
  readonly #strangers = new Set<number>();
  readonly #open: string[] = [];
  readonly #files: number[] = [];
  #count = 0;

  constructor(command: string) {
    this.command = command;
    this.directory = mkdtempSync('/tmp/tsrun-test-');
    chmodSync(this.directory, 0o755);
    this.root = join(this.directory, 'state');
    this.#prefix = `t${process.pid}${this.directory.slice(-6)}`;
    for (const pid of children()) this.#strangers.add(pid);
    tryCall(this.sys, 'prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    copyFileSync(BUSYBOX, join(this.directory, 'busybox'));
    mkdirSync(join(this.directory, 'pids'));
    chmodSync(join(this.directory, 'pids'), 0o777);
  }

  /** A child of the test, which is none of the runtime's. */
  adopt(pid: number): number {
    this.#strangers.add(pid);
    return pid;
  }

  /** Ends a child of the test. */
  dismiss(...pids: readonly number[]): void {
    for (const pid of pids) {
      tryCall(this.sys, 'kill', pid, 9);
      waitForExit(this.sys, pid);
      this.#strangers.delete(pid);
    }
  }

  /** A process that runs until `dismiss` ends it. Not a `ChildProcess`, which would want to reap it itself. */
  background(...command: readonly string[]): number {
    const { stdout, stderr } = spawnSync('sh', ['-c', '"$@" >/dev/null 2>&1 & echo $!', 'sh', ...command], { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    return this.adopt(Number(stdout));
  }

  /** A process in namespaces of its own, made by unshare(1), for others to join. */
  holder(...flags: readonly string[]): number {
    const pid = this.background('unshare', ...flags, 'sleep', '1000');
    while (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'sleep');
    return pid;
  }

  /** An open file that holds a text. It is closed at the end. */
  open(name: string, text: string): number {
    writeFileSync(join(this.directory, name), text);
    const fd = openSync(join(this.directory, name), 'r');
    this.#files.push(fd);
    return fd;
  }

  /** A new container's name, by which what is left of it is recognised. */
  id(): string {
    return `${this.#prefix}-${++this.#count}`;
  }

  /** A bundle of its own. The root has every applet of busybox, and nothing else but empty directories. */
  bundle(change: Change = () => undefined, rootfs: RunOptions['rootfs'] = undefined): string {
    const path = join(this.directory, `bundle${++this.#count}`);
    const tree = join(path, 'rootfs');
    for (const name of ['bin', 'etc', 'proc', 'dev', 'sys', 'tmp']) mkdirSync(join(tree, name), { recursive: true });
    linkSync(join(this.directory, 'busybox'), join(tree, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(tree, 'bin', applet));
    rootfs?.(tree);
    const config = draft();
    change(config);
    writeFileSync(join(path, 'config.json'), stringifyJson(config, ' '));
    return path;
  }

  /** The runtime's command line, with this ground's root directory. */
  tsrun(
    args: readonly string[],
    options: RunOptions & { readonly output?: number } = {},
  ): { readonly status: number; readonly stderr: string } {
    const errors = join(this.directory, `stderr${++this.#count}`);
    const stderr = openSync(errors, 'a+');
    chmodSync(errors, 0o666);
    try {
      const { status, signal, error } = spawnSync(this.command, ['--root', this.root, ...args], {
        stdio: ['ignore', options.output ?? stderr, stderr, ...(options.fds ?? [])],
        env: options.env ?? {},
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...options.user,
      });
      if (error !== undefined) throw error;
      return { status: status ?? (signal === null ? -1 : 255), stderr: readFileSync(errors, 'utf8') };
    } finally {
      closeSync(stderr);
    }
  }

  /** Creates a container that waits to be started. Its output goes to `output`. */
  create(change: Change, options: RunOptions = {}, output?: number): Container {
    const bundle = this.bundle(change, options.rootfs);
    const id = `${this.#prefix}-${++this.#count}`;
    const pidFile = join(this.directory, 'pids', String(this.#count));
    const flags = ['--bundle', bundle, '--pid-file', pidFile, ...(options.flags ?? [])];
    const { status, stderr } = this.tsrun(['create', ...flags, id], { ...options, ...(output === undefined ? {} : { output }) });
    if (status !== 0) throw new Error(`create: ${stderr}`);
    this.#open.push(id);
    return { id, pid: Number(readFileSync(pidFile, 'utf8')), bundle };
  }

  start({ id }: Container, options: RunOptions = {}): void {
    const { status, stderr } = this.tsrun(['start', id], { user: options.user } as RunOptions);
    if (status !== 0) throw new Error(`start: ${stderr}`);
  }

  /** Deletes a container, whatever it does. Returns the exit status of its init. */
  end({ id, pid }: Container, options: RunOptions = {}): number {
    const { status, stderr } = this.tsrun(['delete', '--force', id], { user: options.user } as RunOptions);
    if (status !== 0) throw new Error(`delete: ${stderr}`);
    this.#open.splice(this.#open.indexOf(id), 1);
    const exit = waitForExit(this.sys, pid);
    return exit === undefined ? -1 : shellStatus(exit);
  }

  /** Runs a container to its end, and returns what it printed. */
  run(change: Change, options: RunOptions = {}): Seen {
    const file = join(this.directory, `output${++this.#count}`);
    const output = openSync(file, 'a+');
    try {
      const status = options.created === undefined ? this.#runAtOnce(change, options, output) : this.#runStepwise(change, options, output);
      const text = readFileSync(file, 'utf8');
      return { status, output: text, lines: text.split('\n').slice(0, -1) };
    } finally {
      closeSync(output);
    }
  }

  #runAtOnce(change: Change, options: RunOptions, output: number): number {
    const bundle = this.bundle(change, options.rootfs);
    const id = `${this.#prefix}-${++this.#count}`;
    const { status, stderr } = this.tsrun(['run', '--bundle', bundle, ...(options.flags ?? []), id], { ...options, output });
    if (stderr.includes(' run failed: ')) throw new Error(stderr);
    return status;
  }

  #runStepwise(change: Change, options: RunOptions, output: number): number {
    const container = this.create(change, options, output);
    options.created?.(container);
    this.start(container, options);
    const exit = waitForExit(this.sys, container.pid);
    this.end(container, options);
    return exit === undefined ? -1 : shellStatus(exit);
  }

  /** As `run`, for a shell script. */
  sh(script: string, change: Change = () => undefined, options: RunOptions = {}): Seen {
    return this.run((config) => {
      config.process.args = ['/bin/sh', '-c', `exec 2>&1\n${script}`];
      change(config);
    }, options);
  }

  /** The error message of a container that cannot be created. */
  refused(change: Change, options: RunOptions = {}): string {
    const bundle = this.bundle(change, options.rootfs);
    const id = `${this.#prefix}-${++this.#count}`;
    const { status, stderr } = this.tsrun(['create', '--bundle', bundle, ...(options.flags ?? []), id], options);
    if (status === 0) this.#open.push(id);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.any(String) });
    return stderr.trim();
  }

  /** No state, process, cgroup or mount of a container is left, whether it was deleted or never came to be. */
  expectNothingLeft(): void {
    // Those that have ended are this process's to reap: whoever created the container is gone.
    for (const pid of this.#children()) if (/^State:\s*Z/m.test(statusOf(pid))) waitForExit(this.sys, pid);
    const left = {
      state: existsSync(this.root) ? readdirSync(this.root) : [],
      processes: this.#children().map((pid) => statusOf(pid).split('\n').slice(0, 3).join(' ')),
      cgroups: this.#cgroups(),
      mounts: readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(this.directory)),
    };
    this.#sweep();
    expect(left).toEqual({ state: [], processes: [], cgroups: [], mounts: [] });
  }

  #cgroups(): string[] {
    const mountPoint = findHierarchy(this.sys)?.mountPoint ?? '/none';
    const own = join(mountPoint, cgroupOfProcess(this.sys, 'self') ?? '/').replace(/\/$/, '');
    return [...new Set([mountPoint, own])]
      .filter((path) => existsSync(path))
      .flatMap((path) => readdirSync(path).filter((name) => name.startsWith(this.#prefix)));
  }

  /** Reaps what a detached command has left to this process: one child, or all that have ended or end soon. */
  reap(pid?: number): void {
    for (const child of pid === undefined ? this.#children() : [pid]) waitForExit(this.sys, child);
  }

  /** What the runtime has left to this process. */
  #children(): number[] {
    return children().filter((pid) => !this.#strangers.has(pid));
  }

  /** What a failed test has left must not make the next one fail. */
  #sweep(): void {
    for (const id of this.#open.splice(0)) this.tsrun(['delete', '--force', id]);
    for (const pid of this.#children()) {
      tryCall(this.sys, 'kill', pid, 9);
      waitForExit(this.sys, pid);
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  dispose(): void {
    for (const fd of this.#files) closeSync(fd);
    this.#sweep();
    tryCall(this.sys, 'prctl', PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const APPLETS =
  spawnSync(BUSYBOX, ['--list'], { encoding: 'utf8' })
    .stdout?.split('\n')
    .filter((name) => name !== '' && name !== 'busybox') ?? [];

/** runc's default configuration, with a root that can be written and no limits. */
function draft(): Draft {
  const config = structuredClone(defaultConfig()) as Draft;
  config.process.terminal = false;
  config.process.env = ['PATH=/bin'];
  config.root = { path: 'rootfs' };
  config.linux.resources = {};
  return config;
}

/** Maps the container's ids to ids that nobody has on the host. */
export function userNamespace(config: Draft): void {
  const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  config.linux.uidMappings = map;
  config.linux.gidMappings = map;
  config.linux.namespaces?.push({ type: 'user' });
}

function children(): number[] {
  return readdirSync('/proc/self/task').flatMap((task) => {
    const text = readFileSync(`/proc/self/task/${task}/children`, 'utf8');
    return text
      .split(' ')
      .filter((word) => word.trim() !== '')
      .map(Number);
  });
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
