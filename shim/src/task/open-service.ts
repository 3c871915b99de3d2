/** The Task service of a process of its own, with all that it stands on. */
import { join } from 'node:path';
import { lazyAgentImage } from '../../../runtime/src/operations/context/context.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Publisher } from '../events/publisher.ts';
import { AgentPoller } from './agent-poller.ts';
import { ThreadOperator } from './operations/thread-operator.ts';
import { OrphanReaper } from './orphans.ts';
import { SandboxService } from './sandbox-service.ts';
import { TaskService, type TaskServiceOptions } from './service.ts';
import { releaseMemory } from './unused-memory.ts';

export interface OpenOptions extends TaskServiceOptions {
  readonly publisher: Publisher;
  readonly namespace: string;
  readonly stateDirectory: string;
  readonly runtimeRoot: string;
  /** Where keepers of processes before this one are. */
  readonly keepers: string;
  /** Where the build has put the bundle of the worker threads. */
  readonly bundleFolder: string;
  readonly warn: (message: string) => void;
}

export interface OpenService {
  readonly service: TaskService;
  readonly sandboxes: SandboxService;
  /** A container is about to come. */
  prepare(): void;
  /** Containers are left as they are, for another process to adopt. */
  close(): Promise<void>;
}

/** With the containers that a process before it has left. */
export async function openService(sys: Sys, options: OpenOptions): Promise<OpenService> {
  const { publisher, namespace, stateDirectory, runtimeRoot, warn, version, shutdown } = options;
  const poller = new AgentPoller(sys, lazyAgentImage(sys));
  const operator = new ThreadOperator(join(options.bundleFolder, 'shim-worker.cjs'), warn);
  operator.rested = () => releaseMemory(sys);
  const environment = { sys, poller, operator, publisher, namespace, stateDirectory, runtimeRoot, warn };
  const service = new TaskService(environment, { version, shutdown });
  const sandboxes = new SandboxService(environment);
  const orphans = new OrphanReaper(sys, options.keepers);
  await sandboxes.adopt();
  await service.adopt();
  return {
    service,
    sandboxes,
    prepare: () => operator.prepare(),
    close: async () => {
      orphans.close();
      await service.close();
      await sandboxes.close();
      await operator.close();
      poller.close();
    },
  };
}
