/** The Task service: containerd's, docker's and our own front's requests as what becomes of containers. */

import { RuntimeError } from '../../../runtime/src/base/errors.ts';
import { processes } from '../../../runtime/src/cgroups/processes.ts';
import { S_IFDIR, S_IFMT } from '../../../runtime/src/linux/open-flags.ts';
import { stat } from '../../../runtime/src/linux/stat.ts';
import { parseContainerId } from '../../../runtime/src/spec/container-id.ts';
import { checkProcess, checkResources } from '../../../runtime/src/spec/load.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { type Any, anyBytes, anyOf } from '../../../specs/containerd/any.ts';
import { containerd as types } from '../../../specs/containerd/gen/containerd.js';
import { containerd } from '../../../specs/containerd/gen/task.js';
import type { TaskV3 } from '../../../specs/containerd/task.ts';
import { timestampOf } from '../../../specs/containerd/timestamp.ts';
import { parseJson } from '../../../specs/json/parse-json.ts';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { messageOf } from '../base/node-error.ts';
import type { Handlers } from '../base/service.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { parseCheckpointOptions } from './checkpoint-options.ts';
import { Container } from './container.ts';
import type { TaskEnvironment } from './environment.ts';
import { alreadyExists, invalid, notFound, statusOf } from './errors.ts';
import { metricsOf } from './metrics.ts';
import type { RootfsMount } from './operations/operation.ts';
import { parseOptions, type TaskOptions } from './options.ts';
import type { ProcessEnd } from './process-end.ts';
import { type TaskRecord, TaskStore } from './record.ts';
import { TaskProcess } from './task-process.ts';

type Task = Handlers<typeof TaskV3>;
type CreateRequest = containerd.task.v3.CreateTaskRequest;

const { Status } = containerd.v1.types;
const { ProcessDetails } = types.runc.v1;

export interface TaskServiceOptions {
  /** Said to who connects. */
  readonly version: string;
  /** Asked to end, with no containers left. */
  readonly shutdown: () => void;
}

export class TaskService {
  readonly #environment: TaskEnvironment;
  readonly #options: TaskServiceOptions;
  readonly #store: TaskStore;
  readonly #containers = new Map<string, Container>();

  constructor(environment: TaskEnvironment, options: TaskServiceOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#store = new TaskStore(environment.sys, environment.stateDirectory);
  }

  /** No container is here: the shim may end. */
  get isEmpty(): boolean {
    return this.#containers.size === 0;
  }

  /** What the service knows of its containers, for people: the answer to SIGUSR1. */
  describe(): string {
    return JSON.stringify(
      [...this.#containers.values()].map((container) => container.record()),
      undefined,
      2,
    );
  }

  /** For the servers of `containerd.task.v2.Task` and `.v3.Task`, which have the same messages. */
  handlers(): Task {
    return {
      State: async ({ id, execId }) => this.#state(id, execId),
      Create: (request) => this.#create(request),
      Start: async ({ id, execId }) => ({ pid: await this.#container(id).start(execId) }),
      Delete: ({ id, execId }) => this.#delete(id, execId),
      Pids: async ({ id }) => this.#pids(this.#container(id)),
      Pause: ({ id }) => empty(this.#container(id).pause()),
      Resume: ({ id }) => empty(this.#container(id).resume()),
      Checkpoint: ({ id, path, options }) => this.#checkpoint(id, path, options),
      Kill: ({ id, execId, signal, all }) => empty(this.#container(id).kill(execId, signal, all)),
      Exec: async (request) => this.#exec(request),
      ResizePty: async ({ id, execId, width, height }) => {
        this.#container(id).process(execId).resize({ columns: width, rows: height });
        return {};
      },
      CloseIO: async ({ id, execId, stdin }) => {
        const container = this.#container(id);
        if (stdin) container.closeStdin(execId);
        else container.process(execId);
        return {};
      },
      Update: async ({ id, resources }) => empty(this.#container(id).update(parseResources(resources))),
      Wait: async ({ id, execId }) => waited(await this.#container(id).process(execId).ended),
      Stats: async ({ id }) => ({ stats: metricsOf(this.#environment.sys, this.#container(id)) }),
      Connect: async ({ id }) => ({
        shimPid: process.pid,
        taskPid: this.#containers.get(id)?.init.pid ?? 0,
        version: this.#options.version,
      }),
      Shutdown: async () => {
        if (this.isEmpty) this.#options.shutdown();
        return {};
      },
    };
  }

  /** What is open here is closed; containers are left as they are, for another shim to adopt. */
  async close(): Promise<void> {
    await Promise.all([...this.#containers.values()].map((container) => container.abandon()));
    this.#containers.clear();
  }

  #container(id: string): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw notFound(`container ${id}`);
    return container;
  }

  async #create(request: CreateRequest): Promise<containerd.task.v3.CreateTaskResponse.$Properties> {
    const { id, bundle, checkpoint, terminal } = request;
    checkId(id);
    if (!bundle.startsWith('/')) throw invalid(`bundle ${JSON.stringify(bundle)} is not an absolute path`);
    if (checkpoint !== '') checkCheckpoint(this.#environment.sys, checkpoint, terminal);
    if (this.#containers.has(id)) throw alreadyExists(`container ${id}`);
    const options = parseOptions(request.options);
    const container = this.#newContainer(request, options);
    this.#containers.set(id, container);
    try {
      this.#store.create(id);
      return { pid: await container.create(mountsOf(request), options, checkpoint === '' ? undefined : checkpoint) };
    } catch (error) {
      this.#containers.delete(id);
      await container.abandon();
      container.init.forget();
      this.#store.remove(id);
      throw statusOf('create', error);
    }
  }

  #newContainer({ id, bundle, rootfs, terminal, stdin, stdout, stderr }: CreateRequest, { ioOwner, root }: TaskOptions): Container {
    const { runtimeRoot, namespace } = this.#environment;
    const directory = this.#store.pathOf(id);
    const init = new TaskProcess(this.#environment, {
      ...{ containerId: id, execId: '', serial: 0, terminal, stdin, stdout, stderr, directory, ioOwner },
    });
    const place = { id, bundle, mounted: rootfs.length > 0, root: `${root ?? runtimeRoot}/${namespace}` };
    return new Container(this.#environment, this.#store, place, init);
  }

  /** Goes on with the containers that a shim has left which is gone. To be called before the first request. */
  async adopt(): Promise<void> {
    for (const id of this.#store.list()) {
      const record = this.#store.read(id);
      try {
        if (record !== undefined) await this.#adoptContainer(record);
      } catch (error) {
        this.#environment.warn(`container ${id} cannot be adopted: ${messageOf(error)}`);
      }
    }
  }

  async #adoptContainer(record: TaskRecord): Promise<void> {
    const { id, bundle, mounted, root, ioOwner } = record;
    const known = record.processes.find(({ execId }) => execId === '');
    if (known === undefined || known.phase === 'added') {
      // Its create was cut off, and nobody was told of it.
      await this.#environment.operator.run('delete', { root, id, force: true, rootfs: mounted ? `${bundle}/rootfs` : undefined });
      this.#store.remove(id);
      return;
    }
    const init = new TaskProcess(this.#environment, { ...known, containerId: id, directory: this.#store.pathOf(id), ioOwner });
    const container = new Container(this.#environment, this.#store, { id, bundle, mounted, root }, init);
    this.#containers.set(id, container);
    await container.adopt(record);
  }

  #state(id: string, execId: string): containerd.task.v3.StateResponse.$Properties {
    const container = this.#container(id);
    const process = container.process(execId);
    const { stdin, stdout, stderr, terminal } = process.options;
    const { end } = process;
    return {
      ...{ id, execId, bundle: container.bundle, pid: process.pid, status: statusValue(container, process) },
      ...{ stdin, stdout, stderr, terminal },
      ...(end === undefined ? {} : waited(end)),
    };
  }

  async #delete(id: string, execId: string): Promise<containerd.task.v3.DeleteResponse.$Properties> {
    const container = this.#container(id);
    const { pid } = container.process(execId);
    if (execId !== '') {
      const end = await container.deleteExec(execId);
      return { pid, ...(end === undefined ? {} : waited(end)) };
    }
    const end = await container.delete();
    this.#containers.delete(id);
    return { pid, ...waited(end) };
  }

  /** A container that has ended still has its init: to containerd one without processes is a leak, and its end would be lost. */
  #pids({ cgroup, init, execs, id }: Container): containerd.task.v3.PidsResponse.$Properties {
    const living = cgroup === undefined ? [] : processes(this.#environment.sys, cgroup, { recursive: true });
    const pids = living.length === 0 && init.pid > 0 ? [init.pid] : living.sort((a, b) => a - b);
    if (pids.length === 0) throw notFound(`processes of container ${id}`);
    const ofExecs = new Map(execs.map((exec) => [exec.pid, exec.execId]));
    return {
      processes: pids.map((pid) => {
        const execId = ofExecs.get(pid);
        return execId === undefined ? { pid } : { pid, info: anyOf('containerd.runc.v1.ProcessDetails', ProcessDetails, { execId }) };
      }),
    };
  }

  #exec({ id, execId, terminal, stdin, stdout, stderr, spec }: containerd.task.v3.ExecProcessRequest): object {
    const container = this.#container(id);
    if (execId === '') throw invalid('exec_id is empty');
    const { process } = checked('exec', () => checkProcess(parseJson(text(spec))));
    // The request's word counts, as with containerd's own shim.
    const json = stringifyJson({ ...process, terminal });
    container.addExec({ execId, terminal, stdin, stdout, stderr, spec: json });
    return {};
  }

  async #checkpoint(id: string, path: string, options: Any | null | undefined): Promise<object> {
    const container = this.#container(id);
    await container.checkpoint(parseCheckpointOptions(path, options));
    return {};
  }
}

function mountsOf({ rootfs }: CreateRequest): RootfsMount[] {
  return rootfs.map(({ type, source, target, options }) => ({
    ...{ type: type ?? '', source: source ?? '', target: target ?? '', options: options ?? [] },
  }));
}

function checkCheckpoint(sys: Sys, path: string, terminal: boolean): void {
  if (!path.startsWith('/') || ((stat(sys, path)?.mode ?? 0) & S_IFMT) !== S_IFDIR)
    throw invalid(`checkpoint ${JSON.stringify(path)} is not the absolute path of a directory`);
  if (terminal) throw new StatusError(StatusCode.unimplemented, 'a checkpoint cannot be restored with a terminal');
}

function checkId(id: string): void {
  checked('create', () => parseContainerId(id));
}

/** @throws StatusError InvalidArgument, whatever is wrong */
function checked<T>(verb: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RuntimeError) throw statusOf(verb, error);
    throw invalid(`OCI runtime ${verb} failed: ${messageOf(error)}`, error);
  }
}

function text(any: Any | null | undefined): string {
  return new TextDecoder().decode(anyBytes(any ?? {}));
}

function parseResources(any: Any | null | undefined): ReturnType<typeof checkResources>['resources'] {
  return checked('update', () => checkResources(parseJson(text(any))).resources);
}

function statusValue({ paused }: Container, { phase, end }: TaskProcess): containerd.v1.types.Status {
  if (end !== undefined || phase === 'stopped') return Status.STOPPED;
  if (paused && phase !== 'added') return Status.PAUSED;
  return phase === 'running' ? Status.RUNNING : Status.CREATED;
}

function waited({ status, at }: ProcessEnd): { readonly exitStatus: number; readonly exitedAt: ReturnType<typeof timestampOf> } {
  return { exitStatus: status, exitedAt: timestampOf(at) };
}

async function empty(action: Promise<void>): Promise<object> {
  await action;
  return {};
}
