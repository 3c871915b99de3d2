/** ps: the processes of a container, as pids of this pid namespace. */
import { processes } from '../cgroups/processes.ts';
import { isAlive } from '../state/status.ts';
import type { LightContext } from './context/light-context.ts';
import { observe } from './context/observe.ts';

/** Ascending. None when the container has stopped; without a cgroup only the init process is known. */
export function pids(context: LightContext, id: string): number[] {
  const { record } = observe(context, id);
  if (record.cgroup !== undefined) return processes(context.sys, record.cgroup.directory, { recursive: true }).sort((a, b) => a - b);
  return isAlive(context.sys, record) ? [record.pid] : [];
}
