/** Supervision for a shim: one call for whoever puts a shim together. */

import { openStore } from '../../../imagetool/src/store/store.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { anyBytes } from '../../../specs/containerd/any.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { TaskV3 } from '../../../specs/containerd/task.ts';
import type { Service } from '../base/service.ts';
import { placesAt } from '../container/places.ts';
import type { TaskEvent } from '../events/publisher.ts';
import { cniPlaces } from '../network/networks.ts';
import { superviseService } from './service.ts';
import { Supervisor } from './supervisor.ts';
import { localClient } from './tasks.ts';

export interface SupervisionOptions {
  readonly sys: Sys;
  /** The data root of tsctl. */
  readonly root: string;
  /** The Task service of the same process; it knows again what an earlier process left. */
  readonly task: Service;
  readonly warn: (message: string) => void;
}

export interface Supervision {
  readonly service: Service;
  /** What the Task service tells of its tasks. */
  hear(event: TaskEvent): void;
  /** Containers run, wait for their restart, or are being removed: the shim must stay. */
  readonly hasWork: boolean;
}

/** Takes up what an earlier shim has left before it returns. */
export async function openSupervision({ sys, root, task, warn }: SupervisionOptions): Promise<Supervision> {
  const places = placesAt(root);
  const supervisor = new Supervisor({
    sys,
    places,
    store: openStore(root, sys),
    cni: cniPlaces(places, process.env),
    tasks: localClient(TaskV3, task),
    warn,
  });
  await supervisor.recover();
  return {
    service: superviseService(supervisor),
    hear: ({ topic, event }) => {
      if (topic === '/tasks/oom') supervisor.outOfMemory(containerd.events.TaskOOM.decode(anyBytes(event)).containerId);
    },
    get hasWork() {
      return supervisor.hasWork;
    },
  };
}
