/** The container's group of the resctrl file system: before its processes start, and for those that come later. */
import type { Linux } from '../../../../specs/runtime/linux/linux.ts';
import { findResctrl, joinGroup, prepareGroup, removeDirectories } from '../../intel-rdt/group.ts';
import { planRdt } from '../../intel-rdt/plan.ts';
import type { ContainerRecord, RdtRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Undo } from '../context/undo.ts';

/** Undefined when the configuration does not ask for one: then no resctrl file system is looked at. */
export function makeRdtGroup(sys: Sys, linux: Linux | undefined, id: string, undo: Undo): RdtRecord | undefined {
  const rdt = linux?.intelRdt;
  if (rdt === undefined) return undefined;
  const plan = planRdt(rdt, id);
  const { record, made } = prepareGroup(sys, findResctrl(sys), plan);
  undo.push(() => removeDirectories(sys, made));
  return record;
}

/** Puts a new process of the container into its group. */
export function joinRdtGroup(sys: Sys, { intelRdt }: ContainerRecord, pid: number): void {
  if (intelRdt !== undefined) joinGroup(sys, intelRdt, pid);
}
