/** `linux.resources.devices`, carried out. */
import type { Config } from '../../../../specs/runtime/config.ts';
import type { Cgroup } from '../../cgroups/create.ts';
import { devicePolicy } from '../../cgroups/device-rules.ts';
import { attachDevicePolicy } from '../../cgroups/devices.ts';
import type { Context } from '../context/context.ts';
import { isPrivileged } from '../context/host-facts.ts';

/** Has the kernel refuse the container what it is not allowed. */
export function limitDevices(context: Pick<Context, 'sys' | 'warn'>, config: Config, cgroup: Cgroup): void {
  const optional = !isPrivileged(context.sys);
  const paths = (config.linux?.devices ?? []).map((device) => device.path);
  const policy = devicePolicy(config.linux?.resources?.devices ?? [], paths);
  const isNew = cgroup.created.includes(cgroup.directory);
  if (attachDevicePolicy(context.sys, cgroup.fd, policy, { isNew, optional })) return;
  context.warn('linux.resources.devices: not applied, for want of privilege: the container can reach the devices that its user can reach');
}
