/** New schemata for the resctrl group of a container that lives. A container that had none gets one, with all its processes in it. */
import type { IntelRdt } from '../../../../specs/runtime/linux/intel-rdt.ts';
import { processes } from '../../cgroups/processes.ts';
import { changeSchemata, findResctrl, joinGroup, prepareGroup, removeDirectories } from '../../intel-rdt/group.ts';
import { planRdt } from '../../intel-rdt/plan.ts';
import { ESRCH, isErrno } from '../../linux/errno.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';

export type RdtChange = Pick<IntelRdt, 'l3CacheSchema' | 'memBwSchema'>;

/** What was done, and how to take it back. */
export interface RdtChanged {
  /** With the group that was made. */
  readonly record: ContainerRecord;
  undo(): void;
}

/** @throws RuntimeError 'intel-rdt' */
export function changeRdt(sys: Sys, record: ContainerRecord, change: RdtChange): RdtChanged {
  const plan = planRdt(change, record.id);
  if (record.intelRdt !== undefined) return { record, undo: changeSchemata(sys, record.intelRdt, plan.schemata) };
  const { record: intelRdt, made } = prepareGroup(sys, findResctrl(sys), plan);
  const undo = (): void => removeDirectories(sys, made);
  try {
    for (const pid of pidsOf(sys, record)) joinUnlessGone(() => joinGroup(sys, intelRdt, pid));
    return { record: { ...record, intelRdt }, undo };
  } catch (error) {
    undo();
    throw error;
  }
}

function pidsOf(sys: Sys, { cgroup, pid }: ContainerRecord): number[] {
  return cgroup === undefined ? [pid] : processes(sys, cgroup.directory, { recursive: true });
}

function joinUnlessGone(join: () => void): void {
  try {
    join();
  } catch (error) {
    if (!(error instanceof Error && isErrno(error.cause, ESRCH))) throw error;
  }
}
