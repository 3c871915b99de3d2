/** A containerd of the benchmark's own, in which all runtimes are measured in turns, and a client of its API: a command line would be measured too. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { anyOf, anyOfJson, JSON_TYPES } from '../../specs/containerd/any.ts';
import { containerd, type google } from '../../specs/containerd/gen/containerd.js';
import { Containers, Tasks } from '../../specs/containerd/services.ts';
import { placesOf } from '../src/bootstrap/places.ts';
import { GrpcConnection } from '../src/grpc/client.ts';

const NAMESPACE = 'bench';
const CALL = { metadata: { 'containerd-namespace': NAMESPACE }, timeoutMs: 60_000 } as const;
const START_TRIES = 200;
const IDLE_SECONDS = '3';

export interface Contestant {
  readonly name: string;
  readonly runtime: string;
  readonly options?: google.protobuf.Any;
}

/** runc's shim with the runtime at `path`. */
export function runcShim(name: string, path: string): Contestant {
  const { Options } = containerd.runc.v1;
  return { name, runtime: 'io.containerd.runc.v2', options: anyOf('containerd.runc.v1.Options', Options, { binaryName: path }) };
}

export class Daemon {
  readonly directory = mkdtempSync('/dev/shm/shim-bench-');
  readonly #address = join(this.directory, 'c.sock');
  readonly #connection = new GrpcConnection(this.#address);
  readonly #containers = this.#connection.client(Containers);
  readonly #tasks = this.#connection.client(Tasks);
  readonly #specs = new Map<string, string>();
  readonly #daemon: ChildProcess;

  /** @param root of the repository */
  constructor(root: string) {
    const config = join(this.directory, 'config.toml');
    const disabled = ['grpc.v1.cri', 'internal.v1.tracing', 'tracing.processor.v1.otlp'].map((name) => `io.containerd.${name}`);
    writeFileSync(
      config,
      `version = 2\nroot = "${this.directory}/root"\nstate = "${this.directory}/state"\ndisabled_plugins = ${JSON.stringify(disabled)}\n` +
        `[grpc]\n  address = "${this.#address}"\n[ttrpc]\n  address = "${this.#address}.ttrpc"\n` +
        `[plugins."io.containerd.internal.v1.opt"]\n  path = "${this.directory}/opt"\n`,
    );
    const log = openSync(join(this.directory, 'log'), 'a');
    const env = { PATH: `${root}/dist/bin:/usr/sbin:/usr/bin:/sbin:/bin`, TSRUN_SHIM_IDLE_SECONDS: IDLE_SECONDS };
    this.#daemon = spawn('containerd', ['--config', config], { stdio: ['ignore', log, log], env });
  }

  async ready(): Promise<void> {
    for (let turn = 0; turn < START_TRIES; turn++) {
      try {
        await this.#containers.Delete({ id: 'nobody' }, CALL);
      } catch (error) {
        if (error instanceof Error && error.message.includes('not found')) return;
      }
      await sleep(50);
    }
    throw new Error(`containerd does not answer:\n${readFileSync(join(this.directory, 'log'), 'utf8').slice(-2000)}`);
  }

  /** A record of a container, which no runtime has seen yet. */
  async record({ runtime, options }: Contestant, id: string, bundle: string): Promise<void> {
    const text = this.#specs.get(bundle) ?? specOf(bundle);
    this.#specs.set(bundle, text);
    const spec = anyOfJson(JSON_TYPES.spec, text.replaceAll('@ID@', id));
    await this.#containers.Create({ container: { id, runtime: { name: runtime, ...(options ? { options } : {}) }, spec } }, CALL);
  }

  async forget(id: string): Promise<void> {
    await this.#containers.Delete({ id }, CALL);
  }

  async create({ options }: Contestant, id: string): Promise<void> {
    await this.#tasks.Create({ containerId: id, ...(options ? { options } : {}) }, CALL);
  }

  async start(id: string): Promise<void> {
    await this.#tasks.Start({ containerId: id }, CALL);
  }

  /** The whole life of a task. Throws when the program fails. */
  async runTask(contestant: Contestant, id: string): Promise<void> {
    await this.create(contestant, id);
    const ended = this.#tasks.Wait({ containerId: id }, CALL);
    await this.start(id);
    const { exitStatus } = await ended;
    await this.#tasks.Delete({ containerId: id }, CALL);
    if (exitStatus !== 0) throw new Error(`${contestant.name}: ${id} ended with ${exitStatus}`);
  }

  async exec(id: string, execId: string, process: string): Promise<void> {
    await this.#tasks.Exec({ containerId: id, execId, spec: anyOfJson(JSON_TYPES.process, process) }, CALL);
    const ended = this.#tasks.Wait({ containerId: id, execId }, CALL);
    await this.#tasks.Start({ containerId: id, execId }, CALL);
    const { exitStatus } = await ended;
    await this.#tasks.DeleteProcess({ containerId: id, execId }, CALL);
    if (exitStatus !== 0) throw new Error(`exec in ${id} ended with ${exitStatus}`);
  }

  async stop(id: string): Promise<void> {
    const ended = this.#tasks.Wait({ containerId: id }, CALL);
    await this.#tasks.Kill({ containerId: id, signal: 9 }, CALL);
    await ended;
    await this.#tasks.Delete({ containerId: id }, CALL);
  }

  /** Processes of shims of this daemon: those that name its socket, their parents if they are keepers, and what belongs to them but is no container. */
  shims(): number[] {
    const all = readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0);
    const own = all.filter((pid) => pid !== this.#daemon.pid && commandOf(pid).includes(`${this.#address} `));
    const isAgent = (pid: number): boolean => commandOf(pid).startsWith('tsrun-init');
    const keepers = [...new Set(own.map(parentOf))].filter(isAgent);
    return [...own, ...keepers, ...all.filter((pid) => own.includes(parentOf(pid)) && isAgent(pid))];
  }

  /** Where our warm process listens. */
  get shimSocket(): string {
    return placesOf({ address: this.#address, namespace: NAMESPACE }).socket;
  }

  get pid(): number {
    return this.#daemon.pid ?? 0;
  }

  async close(): Promise<void> {
    this.#connection.close();
    for (const pid of this.shims()) process.kill(pid, 'SIGKILL');
    const ended = new Promise((done) => this.#daemon.once('exit', done));
    this.#daemon.kill('SIGKILL');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Has a command run whenever a container of the bundle is created. */
export function addHook(bundle: string, args: readonly string[]): void {
  const path = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.hooks = { createRuntime: [{ path: args[0], args }] };
  writeFileSync(path, JSON.stringify(config));
}

function specOf(bundle: string): string {
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
  config.root.path = join(bundle, 'rootfs');
  config.linux.cgroupsPath = '/shim-bench-@ID@';
  return JSON.stringify(config);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** The fields of proc(5), stat, after the name. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1]);
}

/** Ticks of a process and of the children it has waited for. */
export function cpuTicks(pid: number): number {
  return statOf(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0);
}

export function pssKiB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

export function rssKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
