/** pause and resume: all processes of a container stop, and go on. */
import { RuntimeError } from '../base/errors.ts';
import { freeze, thaw } from '../cgroups/freezer.ts';
import { ENODEV, ENOENT, isErrno } from '../linux/errno.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { LightContext } from './context/light-context.ts';
import { isPaused, notRunning, observe } from './context/observe.ts';

/** @throws RuntimeError 'not-running' unless the container is running or created */
export function pause(context: LightContext, id: string): void {
  const { record, status } = observe(context, id);
  if (isPaused(context, record)) throw new RuntimeError('not-running', 'container not running: container paused');
  if (status !== 'running' && status !== 'created') throw notRunning();
  withCgroup(record, 'pause', (directory) => freeze(context.sys, directory));
}

/** @throws RuntimeError 'not-paused' */
export function resume(context: LightContext, id: string): void {
  const { record } = observe(context, id);
  if (!isPaused(context, record)) throw new RuntimeError('not-paused', 'container not paused');
  withCgroup(record, 'resume', (directory) => thaw(context.sys, directory));
}

function withCgroup(record: ContainerRecord, verb: string, action: (directory: string) => void): void {
  if (record.cgroup === undefined) {
    throw new RuntimeError('cgroup-missing', `cannot ${verb} container ${record.id}: it has no cgroup`, {
      hint: 'have a cgroup delegated to this user (systemd-run --user --scope -p Delegate=yes) when the container is created',
    });
  }
  try {
    action(record.cgroup.directory);
  } catch (error) {
    // It ended, and was deleted, in this moment.
    if (isErrno(error, ENOENT, ENODEV)) throw notRunning();
    throw error;
  }
}
