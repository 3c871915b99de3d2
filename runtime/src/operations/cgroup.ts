/** The container's cgroup: made at create, removed at delete. */
import type { Config } from '../../../specs/runtime/config.ts';
import { applyResources } from '../cgroups/apply.ts';
import { type Cgroup, createCgroup, undoCreate } from '../cgroups/create.ts';
import { devicePolicy } from '../cgroups/device-rules.ts';
import { attachDevicePolicy } from '../cgroups/devices.ts';
import { cgroupOfProcess, findHierarchy, noHierarchyError } from '../cgroups/hierarchy.ts';
import { cgroupfsPath } from '../cgroups/path.ts';
import { controllerNeeds, planResources } from '../cgroups/resources.ts';
import type { Sys } from '../sys/sys.ts';
import type { Context } from './context.ts';
import { isPrivileged } from './host-facts.ts';

/**
 * Makes the cgroup and applies the limits.
 * @returns undefined where there can be none and none is needed: rootless, without limits
 * @throws RuntimeError naming the controller and the place in config.json for a limit that cannot be applied
 */
export function makeCgroup(context: Context, config: Config, id: string): Cgroup | undefined {
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
    limitDevices(context, config, cgroup, optional);
    return cgroup;
  } catch (error) {
    undoCreate(sys, cgroup);
    throw error;
  }
}

function limitDevices(context: Context, config: Config, cgroup: Cgroup, optional: boolean): void {
  const paths = (config.linux?.devices ?? []).map((device) => device.path);
  const policy = devicePolicy(config.linux?.resources?.devices ?? [], paths);
  const isNew = cgroup.created.includes(cgroup.directory);
  if (attachDevicePolicy(context.sys, cgroup.fd, policy, { isNew, optional })) return;
  context.warn('linux.resources.devices: not applied, for want of privilege: the container can reach the devices that its user can reach');
}

/** The runtime's own cgroup as a host directory: what a container without a cgroup of its own is in. */
export function ownCgroupDirectory(sys: Sys): string | undefined {
  const hierarchy = findHierarchy(sys);
  const own = cgroupOfProcess(sys, 'self');
  return hierarchy === undefined || own === undefined ? undefined : `${hierarchy.mountPoint}${own === '/' ? '' : own}`;
}
