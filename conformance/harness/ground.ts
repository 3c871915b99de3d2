import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Fact, Facts } from '../probe/facts.ts';
import { Bundle, type BundlePatch } from './bundle.ts';
import { cgroupsNamed } from './cgroup-tree.ts';
import { type CommandOptions, type Result, runCommand } from './command.ts';
import { Container } from './container.ts';
import { hostMountsBelow } from './mount-info.ts';
import { invoke, type Runtime } from './runtime.ts';
import { NotTestable } from './test-case.ts';
import { until } from './wait.ts';

export interface Setting {
  readonly runtime: Runtime;
  /** The static busybox of the root file systems. */
  readonly busybox: string;
  /** For what this test makes; removed at its end. */
  readonly directory: string;
}

export interface CreateOptions {
  readonly flags?: readonly string[];
  readonly id?: string;
}

let count = 0;

/** What a test stands on: the runtime, a state directory, bundles and containers of its own, and the removal of all of it. */
export class Ground {
  readonly runtime: Runtime;
  readonly directory: string;
  readonly root: string;
  readonly #busybox: string;
  readonly #ids: string[] = [];
  readonly #pids = new Map<number, string>();
  readonly #undo: (() => unknown)[] = [];
  #bundles = 0;

  constructor({ runtime, busybox, directory }: Setting) {
    this.runtime = runtime;
    this.directory = directory;
    this.root = join(directory, 'state');
    this.#busybox = busybox;
    mkdirSync(this.root, { recursive: true, mode: 0o700 });
  }

  /** A name that no other container has. */
  id(): string {
    count += 1;
    const id = `conformance-${process.pid}-${count}`;
    this.#ids.push(id);
    return id;
  }

  /** A new bundle, with the base configuration and changes. */
  bundle(patch: BundlePatch = {}): Bundle {
    this.#bundles += 1;
    const bundle = new Bundle(join(this.directory, `bundle${this.#bundles}`), this.#busybox);
    bundle.configure(patch);
    return bundle;
  }

  /** Registers what is done at the end of the test, the last one first. */
  atEnd(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  invoke(args: readonly string[], options?: CommandOptions): Promise<Result> {
    return invoke(this.runtime, this.root, args, options);
  }

  /** Creates a container, whatever comes of it. */
  async tryCreate(
    source: BundlePatch | Bundle,
    options: CreateOptions = {},
  ): Promise<{ readonly container: Container; readonly result: Result }> {
    const bundle = source instanceof Bundle ? source : this.bundle(source);
    const id = options.id ?? this.id();
    const outputFile = join(this.directory, `${id}.out`);
    const pidFile = join(this.directory, `${id}.pid`);
    const args = ['create', '--bundle', bundle.path, '--pid-file', pidFile, ...(options.flags ?? []), id];
    const result = await this.invoke(args, { outputFile });
    this.#remember(pidFile);
    return { container: new Container(id, bundle, (words, more) => this.invoke(words, more), outputFile), result };
  }

  async create(source: BundlePatch | Bundle = {}, options: CreateOptions = {}): Promise<Container> {
    const { container, result } = await this.tryCreate(source, options);
    if (result.status !== 0) throw new Error(`create: exit status ${result.status}: ${result.stderr.trim() || result.stdout.trim()}`);
    return container;
  }

  /** A running container, by default one that sleeps. */
  async start(source: BundlePatch | Bundle = {}, options: CreateOptions = {}): Promise<Container> {
    return (await this.create(source, options)).start();
  }

  /** Creates, runs and deletes a container in one command, whatever comes of it. */
  run(source: BundlePatch | Bundle, options: CommandOptions = {}): Promise<Result> {
    const bundle = source instanceof Bundle ? source : this.bundle(source);
    return this.invoke(['run', '--bundle', bundle.path, this.id()], options);
  }

  /** Runs a shell script to its end in a container. Returns what it printed; a failure is an error. */
  async sh(script: string, patch: BundlePatch = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run((bundle) => ({
      'process.args': ['sh', '-c', script],
      ...resolvePatch(patch, bundle),
    }));
    if (status !== 0) throw new Error(`exit status ${status}: ${[stdout, stderr].join('\n').trim()}`);
    return stdout.trimEnd();
  }

  /** Runs the probe to its end in a container. */
  async probe(facts: readonly Fact[], patch: BundlePatch = {}): Promise<Facts> {
    const { status, stdout, stderr } = await this.run((bundle) => ({
      'process.args': ['probe', ...facts],
      ...resolvePatch(patch, bundle),
    }));
    if (status !== 0) throw new Error(`exit status ${status}: ${[stdout, stderr].join('\n').trim()}`);
    return new Facts(stdout);
  }

  /** Expects that create is an error and leaves nothing behind. Returns what was said. */
  async refuse(source: BundlePatch | Bundle, options: CreateOptions = {}): Promise<string> {
    const { container, result } = await this.tryCreate(source, options);
    if (result.status === 0) throw new Error('create succeeded, and must be an error');
    if (result.stderr.trim() + result.stdout.trim() === '') throw new Error('create failed without a word');
    await this.expectGone(container);
    return result.stderr;
  }

  /** As `refuse`, but the error may also come with start: properties of the process may be applied that late. */
  async refuseProcess(source: BundlePatch | Bundle): Promise<void> {
    const { container, result } = await this.tryCreate(source);
    if (result.status !== 0) return this.expectGone(container);
    const started = await container.try('start');
    if (started.status === 0) throw new Error('create and start succeeded, and one must be an error');
  }

  /** Nothing is left of a container: no state, mount, cgroup or process. */
  async expectGone(container: Container): Promise<void> {
    if (await container.exists()) throw new Error('the runtime still knows the container');
    const mounts = hostMountsBelow(container.bundle.path);
    if (mounts.length > 0) throw new Error(`mounts are left: ${mounts.join(' ')}`);
    const cgroups = cgroupsNamed(container.id);
    if (cgroups.length > 0) throw new Error(`cgroups are left: ${cgroups.join(' ')}`);
    const state = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes(container.id));
    if (state.length > 0) throw new Error(`files are left in the state directory: ${state.join(' ')}`);
    const isOurs = (pid: number) => this.#isAlive(pid) && readFileOr(`/proc/${pid}/mountinfo`).includes(container.bundle.path);
    await until(() => ![...this.#pids.keys()].some(isOurs), 'no process of the container is left');
  }

  /** Says that this cannot be tested here. */
  notTestable(reason: string): never {
    throw new NotTestable(reason);
  }

  /** Ends and removes all that this test has made. */
  async dispose(): Promise<void> {
    for (const id of this.#ids) {
      if (readdirSync(this.root, { recursive: true, encoding: 'utf8' }).some((name) => name.includes(id))) {
        await this.invoke(['delete', '--force', id]).catch(() => undefined);
      }
    }
    for (const pid of this.#pids.keys()) if (this.#isAlive(pid)) killProcess(pid);
    for (const undo of this.#undo.reverse()) await undo();
    for (const point of hostMountsBelow(this.directory)) await runCommand('umount', ['-l', point]);
    if (hostMountsBelow(this.directory).length > 0) throw new Error(`mounts are left below ${this.directory}; it is not removed`);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Pids are used again: the time of the start tells whether it is the same process. */
  #remember(pidFile: string): void {
    if (!existsSync(pidFile)) return;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (pid > 1) this.#pids.set(pid, startTime(pid));
  }

  #isAlive(pid: number): boolean {
    const time = startTime(pid);
    return time !== '' && time === this.#pids.get(pid);
  }
}

function resolvePatch(patch: BundlePatch, bundle: Bundle): Exclude<BundlePatch, (bundle: Bundle) => unknown> {
  return typeof patch === 'function' ? patch(bundle) : patch;
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Empty when the process has ended, also when nobody has waited for it. */
function startTime(pid: number): string {
  const fields = readFileOr(`/proc/${pid}/stat`)
    .replace(/^.*\) /, '')
    .split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}

function readFileOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
