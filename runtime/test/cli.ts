/**
 * Runs command lines on both engines. Whatever a test does with a `Cli` is written down; `describeBothEngines` ends by comparing what the two
 * engines printed and how they exited, byte for byte but for what differs between any two runs: pids, times, and the test's own directory.
 */
import { type ChildProcess, type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { builtCommand, describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { type ConfigChange, makeBundle, staticBusybox } from './bundle.ts';

const ENGINES = ['tsrun', 'tsrun-node'] as const;
export type EngineCommand = (typeof ENGINES)[number];

export function commandPath(name: EngineCommand): string {
  return resolve(__dirname, '../../dist/bin', name);
}

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment. Default: only XDG_RUNTIME_DIR, as podman calls a runtime. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: SpawnSyncOptions['stdio'];
  /** Without `--root` and the directory of this test. */
  readonly bare?: boolean;
  readonly uid?: number;
  readonly gid?: number;
}

const DEFAULT_ENV = { XDG_RUNTIME_DIR: '/run/user/0' };
const CGROUP_ROOTS = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'];

let count = 0;

/** A command line with a state directory, bundles and containers of its own. */
export class Cli {
  readonly command: string;
  readonly directory = mkdtempSync(join(tmpdir(), 'tsrun-cli-'));
  readonly root = join(this.directory, 'root');
  readonly transcript: string[] = [];
  readonly #children: ChildProcess[] = [];
  #bundles = 0;

  constructor(engine: EngineCommand) {
    this.command = commandPath(engine);
  }

  /** A new container's name, different on every call and in every process of the machine. */
  id(): string {
    return `cli-${process.pid}-${++count}`;
  }

  bundle(...changes: readonly ConfigChange[]): string {
    return makeBundle(join(this.directory, `bundle${++this.#bundles}`), ...changes);
  }

  /** Runs a command line to its end, with nothing on standard input. The result is written down. */
  run(args: readonly string[], options: RunOptions = {}): Result {
    const result = this.look(args, options);
    this.note(`${args.join(' ')}\n=> ${result.status}\n${result.stdout}${result.stderr}`);
    return result;
  }

  /** As `run`, for what is done a different number of times on each engine, or prints what differs: it is not written down. */
  look(args: readonly string[], options: RunOptions = {}): Result {
    const words = options.bare === true ? args : ['--root', this.root, ...args];
    const { status, stdout, stderr, error } = spawnSync(this.command, words, {
      encoding: 'utf8',
      cwd: options.cwd ?? '/',
      env: { ...(options.env ?? DEFAULT_ENV) },
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    if (error !== undefined) throw error;
    return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
  }

  /** As `run`, for what must succeed. Returns standard output. */
  ok(args: readonly string[], options: RunOptions = {}): string {
    const { status, stdout, stderr } = this.run(args, options);
    if (status !== 0) throw new Error(`${args.join(' ')}: exit status ${status}: ${stderr}`);
    return stdout;
  }

  /**
   * As `ok` for create and others whose container keeps the standard streams: they are nothing, since whoever reads them would wait for the
   * container's end.
   */
  create(id: string, bundle: string, ...flags: readonly string[]): void {
    const { status } = this.run(['--log', join(this.directory, 'log'), 'create', '--bundle', bundle, ...flags, id], { stdio: 'ignore' });
    if (status !== 0) throw new Error(`create: exit status ${status}: ${readFileSync(join(this.directory, 'log'), 'utf8')}`);
  }

  /** A new running container. */
  start(...changes: readonly ConfigChange[]): string {
    const id = this.id();
    this.create(id, this.bundle(...changes));
    this.ok(['start', id]);
    return id;
  }

  /** Starts a command line and does not wait. It is killed at the end of the test at the latest. */
  spawn(args: readonly string[]): ChildProcess {
    const child = spawn(this.command, ['--root', this.root, ...args], { cwd: '/', env: DEFAULT_ENV, stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }

  state(id: string): { readonly status: string; readonly pid: number } & Readonly<Record<string, unknown>> {
    return JSON.parse(this.ok(['state', id]));
  }

  pids(id: string): number[] {
    return JSON.parse(this.look(['ps', '--format', 'json', id]).stdout);
  }

  /** Waits until the container's status is this one. */
  waitFor(id: string, status: string): void {
    until(() => this.look(['state', id]).stdout.includes(`"status": "${status}"`), `container ${id} is ${status}`);
  }

  /** Adds to what is compared between the engines. */
  note(text: string): void {
    this.transcript.push(
      text
        .replaceAll(this.directory, 'DIRECTORY')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/cli-\d+-\d+/g, 'ID')
        // Pids, and the columns that they widen; the time of day in ps.
        .replaceAll(/\b\d\d:\d\d(:\d\d)?\b/g, 'CLOCK')
        .replaceAll(/ {2,}/g, '  ')
        .replaceAll(/\b\d{2,}\b/g, 'N'),
    );
  }

  dispose(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    if (existsSync(this.root)) {
      for (const id of readdirSync(this.root)) spawnSync(this.command, ['--root', this.root, 'delete', '--force', id]);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Directories named like the container in the cgroup v2 hierarchy, wherever this test's own cgroup puts them. */
export function cgroupsOf(id: string): string[] {
  const root = CGROUP_ROOTS.find((path) => existsSync(join(path, 'cgroup.procs')));
  if (root === undefined) return [];
  const { stdout } = spawnSync('find', [root, '-type', 'd', '-name', id], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Waits until a condition holds. */
export function until(condition: () => boolean, what: string, timeoutMs = 5000): void {
  for (const deadline = Date.now() + timeoutMs; !condition(); sleep(10)) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
  }
}

/** The same tests on both engines, and one more: that both said the same. */
export function describeBothEngines(name: string, body: (cli: () => Cli) => void): void {
  const transcripts = new Map<EngineCommand, string[]>();
  for (const engine of ENGINES) {
    describeWith([rootUser, staticBusybox, builtCommand(engine)], `${name} (${engine})`, () => {
      let cli: Cli;
      beforeEach(() => {
        cli = new Cli(engine);
        mkdirSync(cli.root, { mode: 0o700 });
      });
      afterEach(() => {
        cli.dispose();
        transcripts.set(engine, [...(transcripts.get(engine) ?? []), ...cli.transcript]);
      });
      body(() => cli);
    });
  }
  describeWith([rootUser, staticBusybox, ...ENGINES.map(builtCommand)], `${name} (both engines)`, () => {
    it('says the same on both', () => {
      expect(transcripts.get('tsrun')).toEqual(transcripts.get('tsrun-node'));
    });
  });
}
