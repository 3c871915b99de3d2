/** A task service over real containers, in this process: its state, root, bundles and clients' ends of the pipes are in a directory of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { lazyAgentImage } from '../../../../runtime/src/operations/context/context.ts';
import { createNodeSys } from '../../../../runtime/src/sys/node.ts';
import { type ConfigChange, makeBundle } from '../../../../runtime/test/bundle.ts';
import { containerd } from '../../../../specs/containerd/gen/containerd.js';
import { containerd as service } from '../../../../specs/containerd/gen/task.js';
import type { TaskV3 } from '../../../../specs/containerd/task.ts';
import type { Call, Handlers } from '../../base/service.ts';
import { within } from '../../base/within.ts';
import type { TaskEvent } from '../../events/publisher.ts';
import { AgentPoller } from '../agent-poller.ts';
import type { TaskEnvironment } from '../environment.ts';
import { InlineOperator } from '../operations/inline-operator.ts';
import type { Operator } from '../operations/operation.ts';
import { TaskService } from '../service.ts';

const task = service.task.v3;
const { TaskCreate, TaskStart, TaskExit, TaskDelete, TaskExecAdded, TaskExecStarted } = containerd.events;
const NO_CALL: Call = { metadata: new Map(), signal: new AbortController().signal };

/** The handlers, called with parts of requests. */
type Client = {
  readonly [M in keyof Handlers<typeof TaskV3>]: (
    request?: Partial<Parameters<Handlers<typeof TaskV3>[M]>[0]>,
  ) => ReturnType<Handlers<typeof TaskV3>[M]>;
};

const REQUESTS: Readonly<Record<string, { readonly create: (fields: object) => object }>> = {
  State: task.StateRequest,
  Create: task.CreateTaskRequest,
  Start: task.StartRequest,
  Delete: task.DeleteRequest,
  Pids: task.PidsRequest,
  Pause: task.PauseRequest,
  Resume: task.ResumeRequest,
  Checkpoint: task.CheckpointTaskRequest,
  Kill: task.KillRequest,
  Exec: task.ExecProcessRequest,
  ResizePty: task.ResizePtyRequest,
  CloseIO: task.CloseIORequest,
  Update: task.UpdateTaskRequest,
  Wait: task.WaitRequest,
  Stats: task.StatsRequest,
  Connect: task.ConnectRequest,
  Shutdown: task.ShutdownRequest,
};

export class Ground {
  readonly sys = createNodeSys();
  readonly directory = mkdtempSync(join(tmpdir(), 'tsrun-task-'));
  readonly events: TaskEvent[] = [];
  readonly warnings: string[] = [];
  readonly agentImage = lazyAgentImage(this.sys);
  poller = new AgentPoller(this.sys, this.agentImage);
  readonly operator: Operator;
  service: TaskService;
  shutdowns = 0;
  #bundles = 0;

  constructor(operator?: Operator) {
    this.operator = operator ?? new InlineOperator(this.sys, (message) => this.warnings.push(message));
    this.service = this.newService();
  }

  environment(): TaskEnvironment {
    const { sys, poller, operator } = this;
    return {
      ...{ sys, poller, operator },
      publisher: { publish: (event) => this.events.push(event) },
      namespace: 'test',
      stateDirectory: join(this.directory, 'state'),
      runtimeRoot: join(this.directory, 'root'),
      warn: (message) => this.warnings.push(message),
    };
  }

  newService(): TaskService {
    return new TaskService(this.environment(), { version: 'test', shutdown: () => this.shutdowns++ });
  }

  get client(): Client {
    const handlers = this.service.handlers();
    const entries = Object.entries(REQUESTS).map(([name, request]) => {
      const handler: (request: object, call: Call) => Promise<object> = Reflect.get(handlers, name);
      return [name, async (fields = {}) => handler(request.create(fields), NO_CALL)];
    });
    return Object.fromEntries(entries) as Client;
  }

  bundle(...changes: ConfigChange[]): string {
    this.#bundles++;
    return makeBundle(join(this.directory, `bundle-${this.#bundles}`), ...changes);
  }

  /** A named pipe for a stream, with a reader, as a client has it. */
  pipe(name: string): string {
    const path = join(this.directory, name);
    const { status } = spawnSync('mkfifo', ['-m', '700', path]);
    if (status !== 0) throw new Error(`cannot make ${path}`);
    return path;
  }

  /** Topics, and whom they are about, in order. */
  history(): string[] {
    return this.events.map(({ topic, event }) => {
      const value = event.value ?? new Uint8Array();
      switch (topic) {
        case '/tasks/create':
          return `create ${TaskCreate.decode(value).containerId}`;
        case '/tasks/start':
          return `start ${TaskStart.decode(value).containerId}`;
        case '/tasks/exec-added':
          return `exec-added ${TaskExecAdded.decode(value).execId}`;
        case '/tasks/exec-started':
          return `exec-started ${TaskExecStarted.decode(value).execId}`;
        case '/tasks/exit': {
          const { id, exitStatus } = TaskExit.decode(value);
          return `exit ${id} ${exitStatus}`;
        }
        case '/tasks/delete':
          return `delete ${TaskDelete.decode(value).containerId}`;
        default:
          return topic.slice('/tasks/'.length);
      }
    });
  }

  async dispose(): Promise<void> {
    const { client } = this;
    for (const id of this.ids()) {
      await client.Kill({ id, signal: 9, all: true }).catch(() => undefined);
      await within(
        client.Wait({ id }).catch(() => undefined),
        5000,
      );
      await client.Delete({ id }).catch(() => undefined);
    }
    await this.service.close();
    await this.operator.close();
    this.poller.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  ids(): string[] {
    const records: { id: string }[] = JSON.parse(this.service.describe());
    return records.map(({ id }) => id);
  }
}

/** A file, or nothing where there is none. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A JSON document in an Any. */
export function json(value: unknown): { readonly type_url: string; readonly value: Uint8Array } {
  return { type_url: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value: new TextEncoder().encode(JSON.stringify(value)) };
}

/** A process for exec. */
export function shell(script: string, change: object = {}): ReturnType<typeof json> {
  return json({ args: ['/bin/sh', '-c', script], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 }, ...change });
}
