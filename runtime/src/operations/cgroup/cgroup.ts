/** The container's cgroup: made at create, removed at delete. */
import type { Config } from '../../../../specs/runtime/config.ts';
import { applyResources } from '../../cgroups/apply.ts';
import { type Cgroup, createCgroup, undoCreate } from '../../cgroups/create.ts';
import { cgroupOfProcess, findHierarchy, noHierarchyError } from '../../cgroups/hierarchy.ts';
import { cgroupfsPath } from '../../cgroups/path.ts';
import { killAll } from '../../cgroups/processes.ts';
import { removeCgroup } from '../../cgroups/remove.ts';
import { controllerNeeds, planResources } from '../../cgroups/resources.ts';
import { SIGKILL } from '../../linux/processes.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { isPrivileged } from '../context/host-facts.ts';
import type { Undo } from '../context/undo.ts';
import { limitDevices } from './cgroup-devices.ts';
import type { CgroupManager, PlacedCgroup } from './cgroup-manager.ts';
import { placeUnit, stopUnitOf } from './systemd-cgroups.ts';

/** Makes the cgroup, or decides where it is to be. Undefined: there is to be none. @throws as `makeCgroup`, and `placeUnit` */
function placeCgroup(context: Context, config: Config, id: string, manager: CgroupManager): Placed | undefined {
  if (manager === 'systemd') return { ...placeUnit(context, config, id), cgroup: undefined };
  if (manager === 'disabled') {
    warnOfLimits(context, config);
    return undefined;
  }
  const cgroup = makeCgroup(context, config, id);
  if (cgroup === undefined) return undefined;
  const record = { directory: cgroup.directory, driver: manager, created: cgroup.created };
  return { record, fd: cgroup.fd, cgroup, limitDevices: () => limitDevices(context, config, cgroup) };
}

interface Wanted {
  readonly id: string;
  /** Default: cgroupfs. */
  readonly cgroupManager?: CgroupManager | undefined;
}

/** As `placeCgroup`; what fails afterwards ends all processes in it and removes it. */
export function placeWithUndo(context: Context, config: Config, { id, cgroupManager }: Wanted, undo: Undo): Placed | undefined {
  const { sys } = context;
  const placed = placeCgroup(context, config, id, cgroupManager ?? 'cgroupfs');
  if (placed === undefined) return undefined;
  const { cgroup, record } = placed;
  undo.push(() => {
    killAll(sys, record.directory, SIGKILL);
    stopUnitOf(sys, record);
    removeCgroup(sys, record.directory);
    if (cgroup !== undefined) undoCreate(sys, cgroup);
  });
  return placed;
}

/** With the cgroup that was made by hand. */
export interface Placed extends PlacedCgroup {
  readonly cgroup: Cgroup | undefined;
  /** To be called before the container's process runs, where `enter` does not do it. */
  readonly limitDevices?: () => void;
}

function warnOfLimits(context: Context, config: Config): void {
  for (const { configPath } of planResources(config.linux?.resources ?? {}).writes) {
    context.warn(`${configPath} is not applied: cgroups are disabled (--cgroup-manager disabled)`);
  }
}

/**
 * Makes the cgroup and applies the limits.
 * @returns undefined where there can be none and none is needed: rootless, without limits
 * @throws RuntimeError naming the controller and the place in config.json for a limit that cannot be applied
 */
function makeCgroup(context: Context, config: Config, id: string): Cgroup | undefined {
  const { sys } = context;
  const resources = config.linux?.resources ?? {};
  const plan = planResources(resources);
  for (const warning of plan.warnings) context.warn(warning.message);
  const needs = controllerNeeds(plan.writes);
  const optional = !isPrivileged(sys);
  const hierarchy = findHierarchy(sys);
  if (hierarchy === undefined) {
    if (needs.length === 0) return undefined;
    throw noHierarchyError({ configPath: 'linux.resources' });
  }
  const path = cgroupfsPath({ cgroupsPath: config.linux?.cgroupsPath, id, ownCgroup: cgroupOfProcess(sys, 'self') ?? '/' });
  const cgroup = createCgroup(sys, hierarchy, path, { needs, optional });
  if (cgroup === undefined) return undefined;
  try {
    applyResources(sys, cgroup, plan);
    return cgroup;
  } catch (error) {
    undoCreate(sys, cgroup);
    throw error;
  }
}

/** The runtime's own cgroup as a host directory: what a container without a cgroup of its own is in. */
export function ownCgroupDirectory(sys: Sys): string | undefined {
  const hierarchy = findHierarchy(sys);
  const own = cgroupOfProcess(sys, 'self');
  return hierarchy === undefined || own === undefined ? undefined : `${hierarchy.mountPoint}${own === '/' ? '' : own}`;
}
