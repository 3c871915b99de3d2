/**
 * The Sandbox service: a pod without a pause image and without a pause process. What holds its namespaces is an init agent of 44 KiB that waits at
 * its start gate: a container that was created and is never started. So it outlives this process, and the next one adopts it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIGKILL } from '../../../runtime/src/linux/processes.ts';
import { parseContainerId } from '../../../runtime/src/spec/container-id.ts';
import { anyBytes, isAnyOf } from '../../../specs/containerd/any.ts';
import type { containerd } from '../../../specs/containerd/gen/containerd.js';
import type { Sandbox } from '../../../specs/containerd/services.ts';
import { nowInNanoseconds, timestampOf } from '../../../specs/containerd/timestamp.ts';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { messageOf } from '../base/node-error.ts';
import type { Handlers } from '../base/service.ts';
import { within } from '../base/within.ts';
import { Container } from './container.ts';
import type { TaskEnvironment } from './environment.ts';
import { alreadyExists, invalid, notFound, statusOf } from './errors.ts';
import { metricsOf } from './metrics.ts';
import { DEFAULT_OPTIONS } from './options.ts';
import { podDirectory } from './pod-directory.ts';
import { type TaskRecord, TaskStore } from './record.ts';
import { NEVER_STARTED, POD_ROOT, parsePodConfig, podContainer } from './sandbox-config.ts';
import { TaskProcess } from './task-process.ts';

type Requests = typeof containerd.runtime.sandbox.v1;
type CreateRequest = InstanceType<Requests['CreateSandboxRequest']>;

const POD_CONFIG = 'runtime.v1.PodSandboxConfig';
const STOP_MS = 10_000;

interface Pod {
  readonly container: Container;
  readonly createdAt: bigint;
}

export class SandboxService {
  readonly #environment: TaskEnvironment;
  readonly #store: TaskStore;
  readonly #pods = new Map<string, Pod>();

  constructor(environment: TaskEnvironment) {
    // Pods are no tasks: nobody hears of them by events, and their records are apart.
    const stateDirectory = podDirectory(environment.stateDirectory);
    const runtimeRoot = `${environment.runtimeRoot}/pods`;
    this.#environment = { ...environment, stateDirectory, runtimeRoot, publisher: { publish: () => undefined } };
    this.#store = new TaskStore(environment.sys, stateDirectory);
  }

  get isEmpty(): boolean {
    return this.#pods.size === 0;
  }

  handlers(): Handlers<typeof Sandbox> {
    return {
      CreateSandbox: async (request) => {
        await this.#create(request);
        return {};
      },
      StartSandbox: async ({ sandboxId }) => {
        const { container, createdAt } = this.#pod(sandboxId);
        return { pid: container.init.pid, createdAt: timestampOf(createdAt) };
      },
      Platform: async ({ sandboxId }) => {
        this.#pod(sandboxId);
        return { platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch } };
      },
      StopSandbox: async ({ sandboxId, timeoutSecs }) => {
        await this.#stop(this.#pod(sandboxId), timeoutSecs === 0 ? STOP_MS : timeoutSecs * 1000);
        return {};
      },
      WaitSandbox: async ({ sandboxId }) => {
        const { status, at } = await this.#pod(sandboxId).container.init.ended;
        return { exitStatus: status, exitedAt: timestampOf(at) };
      },
      SandboxStatus: async ({ sandboxId, verbose }) => this.#status(sandboxId, verbose),
      PingSandbox: async ({ sandboxId }) => {
        this.#pod(sandboxId);
        return {};
      },
      ShutdownSandbox: async ({ sandboxId }) => {
        const pod = this.#pod(sandboxId);
        await this.#stop(pod, STOP_MS);
        await pod.container.delete();
        this.#pods.delete(sandboxId);
        return {};
      },
      SandboxMetrics: async ({ sandboxId }) => {
        const data = metricsOf(this.#environment.sys, this.#pod(sandboxId).container);
        return { metrics: { id: sandboxId, timestamp: timestampOf(nowInNanoseconds()), data } };
      },
    };
  }

  /** As of the Task service. */
  async adopt(): Promise<void> {
    for (const id of this.#store.list()) {
      const record = this.#store.read(id);
      try {
        if (record !== undefined) await this.#adoptPod(record);
      } catch (error) {
        this.#environment.warn(`sandbox ${id} cannot be adopted: ${messageOf(error)}`);
      }
    }
  }

  /** What is open here is closed; pods are left as they are. */
  async close(): Promise<void> {
    await Promise.all([...this.#pods.values()].map(({ container }) => container.abandon()));
    this.#pods.clear();
  }

  #pod(id: string): Pod {
    const pod = this.#pods.get(id);
    if (pod === undefined) throw notFound(`sandbox ${id}`);
    return pod;
  }

  async #create({ sandboxId: id, bundlePath, rootfs, options, netnsPath, annotations }: CreateRequest): Promise<void> {
    try {
      parseContainerId(id);
    } catch (error) {
      throw statusOf('create', error);
    }
    if (!bundlePath.startsWith('/')) throw invalid(`bundle path ${JSON.stringify(bundlePath)} is not an absolute path`);
    if (rootfs.length > 0) throw invalid('a sandbox without a process has no use for mounts of a root file system');
    if (this.#pods.has(id)) throw alreadyExists(`sandbox ${id}`);
    const container = this.#newContainer(id, bundlePath);
    this.#pods.set(id, { container, createdAt: nowInNanoseconds() });
    try {
      const pod = parsePodConfig(options && isAnyOf(options, POD_CONFIG) ? anyBytes(options) : new Uint8Array());
      const root = join(bundlePath, POD_ROOT);
      for (const directory of ['proc', 'dev']) mkdirSync(join(root, directory), { recursive: true, mode: 0o755 });
      writeFileSync(join(root, NEVER_STARTED), '', { mode: 0o755 });
      writeFileSync(join(bundlePath, 'config.json'), stringifyJson(podContainer(id, pod, netnsPath, annotations)));
      this.#store.create(id);
      await container.create([], DEFAULT_OPTIONS);
    } catch (error) {
      this.#pods.delete(id);
      await container.abandon();
      this.#store.remove(id);
      throw error instanceof RangeError ? invalid(`options are no ${POD_CONFIG}: ${error.message}`, error) : statusOf('create', error);
    }
  }

  #newContainer(id: string, bundle: string): Container {
    const init = this.#newInit(id);
    const { runtimeRoot, namespace } = this.#environment;
    return new Container(this.#environment, this.#store, { id, bundle, mounted: false, root: `${runtimeRoot}/${namespace}` }, init);
  }

  #newInit(id: string): TaskProcess {
    const streams = { stdin: '', stdout: '', stderr: '', terminal: false, directory: this.#store.pathOf(id), ioOwner: undefined };
    return new TaskProcess(this.#environment, { containerId: id, execId: '', serial: 0, ...streams });
  }

  async #adoptPod(record: TaskRecord): Promise<void> {
    const { id, bundle, root } = record;
    if (record.processes[0]?.phase === 'added') {
      await this.#environment.operator.run('delete', { root, id, force: true, rootfs: undefined });
      this.#store.remove(id);
      return;
    }
    const container = this.#newContainer(id, bundle);
    this.#pods.set(id, { container, createdAt: this.#store.createdAt(id) });
    await container.adopt(record);
  }

  async #stop({ container }: Pod, timeoutMs: number): Promise<void> {
    if (container.init.end !== undefined) return;
    await container.kill('', SIGKILL, true);
    if (!(await within(container.init.ended, timeoutMs))) throw statusOf('stop', new Error(`sandbox ${container.id} does not end`));
  }

  #status(sandboxId: string, verbose: boolean): containerd.runtime.sandbox.v1.SandboxStatusResponse.$Properties {
    const { container, createdAt } = this.#pod(sandboxId);
    const { pid, end } = container.init;
    return {
      ...{ sandboxId, pid, state: end === undefined ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY', createdAt: timestampOf(createdAt) },
      ...(end === undefined ? {} : { exitedAt: timestampOf(end.at) }),
      ...(verbose ? { info: { bundle: container.bundle, cgroup: container.cgroup ?? '' } } : {}),
    };
  }
}
