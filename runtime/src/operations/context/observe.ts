/** What a container is doing, asked from outside and without waiting for the command that may be at work on it. */
import type { Status } from '../../../../specs/runtime/state.ts';
import { RuntimeError } from '../../base/errors.ts';
import { isFrozen } from '../../cgroups/freezer.ts';
import { lstat } from '../../linux/stat.ts';
import { parseContainerId } from '../../spec/container-id.ts';
import { isBusy } from '../../state/busy.ts';
import type { ContainerRecord } from '../../state/record.ts';
import { isAlive } from '../../state/status.ts';
import { START_PROGRAM } from '../../state/store.ts';
import { currentStatus } from './container-state.ts';
import type { LightContext } from './light-context.ts';

export interface Observed {
  readonly record: ContainerRecord;
  readonly status: Status;
}

/** @throws RuntimeError 'invalid-id', 'not-found', 'state-corrupt' */
export function observe(context: LightContext, id: string): Observed {
  parseContainerId(id);
  const record = context.store.read(id);
  return { record, status: observedStatus(context, record) };
}

export function observedStatus({ sys, store }: LightContext, record: ContainerRecord): Status {
  const directory = `${store.root}/${record.id}`;
  const status = currentStatus(sys, record, store.hasGate(record.id));
  // The gate is there from the beginning; nobody can pass it before the program that starts the container has been left, which is the last step.
  if (status === 'created' && lstat(sys, `${directory}/${START_PROGRAM}`) === undefined) return 'creating';
  // A create that was killed leaves a container that is being created by nobody.
  if (status === 'creating' && !isBusy(sys, directory)) return 'stopped';
  return status;
}

export function notRunning(): RuntimeError {
  return new RuntimeError('not-running', 'container not running');
}

/** Its processes are stopped, whether or not its program was started. */
export function isPaused({ sys }: LightContext, record: ContainerRecord): boolean {
  return record.cgroup !== undefined && isAlive(sys, record) && isFrozen(sys, record.cgroup.directory);
}
