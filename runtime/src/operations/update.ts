/** update: new limits for a container that lives: all of them hold afterwards, or none. */

import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import type { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import { RuntimeError } from '../base/errors.ts';
import { updateResources } from '../cgroups/apply.ts';
import { type Cgroup, openCgroup } from '../cgroups/create.ts';
import { devicePolicy } from '../cgroups/device-rules.ts';
import { attachDevicePolicy } from '../cgroups/devices.ts';
import { findHierarchy } from '../cgroups/hierarchy.ts';
import { mergeResources, planResources } from '../cgroups/resources.ts';
import { close, readFileIfExists } from '../linux/files.ts';
import { parseContainerId } from '../spec/container-id.ts';
import { loadConfig } from '../spec/load.ts';
import type { ValidResources } from '../spec/valid.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { ContainerDirectory } from '../state/store.ts';
import type { Sys } from '../sys/sys.ts';
import { updateUnitOf } from './cgroup/systemd-cgroups.ts';
import { changeRdt, type RdtChange } from './cgroup/update-rdt.ts';
import { currentStatus } from './context/container-state.ts';
import type { LightContext } from './context/light-context.ts';
import { notRunning } from './context/observe.ts';
import { presentResources, RESOURCES } from './context/present-resources.ts';

/**
 * @param change what is to be different; everything else stays
 * @param rdt the same of `linux.intelRdt`
 * @throws RuntimeError 'not-running', 'cgroup-missing', 'intel-rdt', and those of `updateResources`
 */
export function update(context: LightContext, id: string, change: ValidResources, rdt: RdtChange = {}): void {
  parseContainerId(id);
  const directory = context.store.open(id);
  try {
    const record = directory.readRecord();
    const status = record === undefined ? 'creating' : currentStatus(context.sys, record, directory.hasGate());
    if (record === undefined || status === 'creating' || status === 'stopped') throw notRunning();
    const rdtChanged = Object.keys(rdt).length === 0 ? undefined : changeRdt(context.sys, record, rdt);
    try {
      if (rdtChanged === undefined || Object.keys(change).length > 0) updateIn(context, directory, record, change);
      if (rdtChanged !== undefined && rdtChanged.record !== record) directory.writeRecord(rdtChanged.record);
    } catch (error) {
      rdtChanged?.undo();
      throw error;
    }
  } finally {
    directory.release();
  }
}

function updateIn(context: LightContext, directory: ContainerDirectory, record: ContainerRecord, change: LinuxResources): void {
  const { sys } = context;
  const systemd = record.cgroup?.driver === 'systemd' ? record.cgroup : undefined;
  const cgroup = openCgroupOf(context, record);
  try {
    const present = presentResources(readFileIfExists(sys, RESOURCES, directory.fd), () => directory.readConfig());
    const merged = mergeResources(present, change);
    for (const warning of planResources(change).warnings) context.warn(warning.message);
    updateResources(sys, cgroup, planResources(merged), {
      mirror: systemd === undefined ? undefined : (writes) => updateUnitOf(sys, systemd, writes),
      last: () => {
        const takeBack =
          change.devices === undefined ? undefined : changeDevices(sys, directory, cgroup, { present, devices: change.devices });
        try {
          directory.writeFile(RESOURCES, sys.encode(stringifyJson(merged)));
        } catch (error) {
          takeBack?.();
          throw error;
        }
      },
    });
  } finally {
    close(sys, cgroup.fd);
  }
}

interface DeviceChange {
  readonly present: LinuxResources;
  readonly devices: NonNullable<LinuxResources['devices']>;
}

/** Returns the function that makes the old rules hold again. */
function changeDevices(sys: Sys, directory: ContainerDirectory, cgroup: Cgroup, { present, devices }: DeviceChange): () => void {
  const paths = (loadConfig(directory.readConfig()).config.linux?.devices ?? []).map((device) => device.path);
  const attach = (rules: NonNullable<LinuxResources['devices']>): void => {
    attachDevicePolicy(sys, cgroup.fd, devicePolicy(rules, paths), { isNew: false });
  };
  attach(devices);
  return () => attach(present.devices ?? []);
}

function openCgroupOf({ sys }: LightContext, record: ContainerRecord): Cgroup {
  const hierarchy = findHierarchy(sys);
  const prefix = `${hierarchy?.mountPoint ?? ''}/`;
  const known = record.cgroup?.directory;
  const cgroup =
    hierarchy === undefined || known === undefined || !known.startsWith(prefix)
      ? undefined
      : openCgroup(sys, hierarchy, known.slice(prefix.length));
  if (cgroup !== undefined) return cgroup;
  throw new RuntimeError('cgroup-missing', `cannot update container ${record.id}: it has no cgroup`, {
    hint: 'have a cgroup delegated to this user (systemd-run --user --scope -p Delegate=yes) when the container is created',
  });
}
