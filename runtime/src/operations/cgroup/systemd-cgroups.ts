/**
 * The systemd driver: systemd makes a scope around the first process of the container, and the runtime writes to the scope's cgroup what systemd does
 * not know. The unit has the limits as properties, too, so that systemd keeps them when it sets up its cgroups again.
 */
import type { Config } from '../../../../specs/runtime/config.ts';
import { RuntimeError } from '../../base/errors.ts';
import { applyResources } from '../../cgroups/apply.ts';
import { enableControllers } from '../../cgroups/controllers.ts';
import { type Cgroup, openCgroup } from '../../cgroups/create.ts';
import { findHierarchy, noHierarchyError } from '../../cgroups/hierarchy.ts';
import { expandSlice, systemdUnit } from '../../cgroups/path.ts';
import { joinCgroup } from '../../cgroups/processes.ts';
import type { ResourceWrite } from '../../cgroups/resources/write.ts';
import { controllerNeeds, planResources, type ResourcePlan } from '../../cgroups/resources.ts';
import { managerCgroup, startUnit, stopUnit, updateUnit } from '../../cgroups/systemd/unit.ts';
import { close } from '../../linux/files.ts';
import type { CgroupRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import type { Context } from '../context/context.ts';
import { isPrivileged } from '../context/host-facts.ts';
import { limitDevices } from './cgroup-devices.ts';
import type { PlacedCgroup } from './cgroup-manager.ts';

type PlaceContext = Pick<Context, 'sys' | 'warn'>;

/** Decides on the unit; nothing is made before `enter`. @throws RuntimeError `systemd-missing`, `systemd`, `cgroup-path` */
export function placeUnit(context: PlaceContext, config: Config, id: string): PlacedCgroup {
  const { sys } = context;
  const user = !isPrivileged(sys);
  const unit = systemdUnit(config.linux?.cgroupsPath, id, { user });
  const plan = planResources(config.linux?.resources ?? {});
  for (const warning of plan.warnings) context.warn(warning.message);
  const manager = managerCgroup(sys, { user });
  const hierarchy = findHierarchy(sys);
  if (hierarchy === undefined) throw noHierarchyError({ configPath: 'linux.cgroupsPath' });
  const isSlice = unit.unit.endsWith('.slice');
  const parts = isSlice ? [manager, expandSlice(unit.unit)] : [manager, expandSlice(unit.slice), unit.unit];
  const path = parts.filter((part) => part !== '').join('/');
  const directory = `${hierarchy.mountPoint}/${path}`;
  const enter = (pid: number): void => {
    const annotations = config.annotations ?? {};
    startUnit(sys, { unit, id, pid, writes: plan.writes, annotations }, { user });
    const cgroup = openCgroup(sys, hierarchy, path);
    if (cgroup === undefined) throw missing(unit.unit, directory);
    try {
      if (isSlice) joinCgroup(sys, cgroup.fd, pid);
      limit(context, config, cgroup, plan);
    } finally {
      close(sys, cgroup.fd);
    }
  };
  return { record: { directory, driver: 'systemd', created: [], unit: unit.unit, user }, fd: undefined, enter };
}

function missing(unit: string, directory: string): RuntimeError {
  return new RuntimeError('systemd', `systemd has started ${unit}, but there is no ${directory}`, {
    hint: 'the cgroup namespace of this process and that of systemd must be the same',
  });
}

function limit(context: PlaceContext, config: Config, cgroup: Cgroup, plan: ResourcePlan): void {
  const { sys } = context;
  const needs = controllerNeeds(plan.writes);
  const parent = cgroup.path.slice(0, Math.max(cgroup.path.lastIndexOf('/'), 0));
  enableControllers(sys, cgroup.hierarchy, parent, { needs, wanted: [] });
  applyResources(sys, cgroup, plan);
  limitDevices(context, config, cgroup);
}

/** Changes the limits of the unit, so that systemd does not undo what is written to the cgroup's files. */
export function updateUnitOf(sys: Sys, record: CgroupRecord, writes: readonly ResourceWrite[]): void {
  updateUnit(sys, unitOf(record), writes, { user: record.user === true });
}

/** Stops the unit, if the cgroup is systemd's, and waits for its end; one that is gone is no error. Its processes have been killed before. */
export function stopUnitOf(sys: Sys, record: CgroupRecord): void {
  if (record.driver === 'systemd') stopUnit(sys, unitOf(record), { user: record.user === true });
}

function unitOf({ unit }: CgroupRecord): string {
  if (unit === undefined) throw new Error('a cgroup of the systemd driver without its unit');
  return unit;
}
