/** Asking the host for what the plan needs to know of it. */
import { tryCall } from '../../linux/call.ts';
import { readFileIfExists } from '../../linux/files.ts';
import { AT_FDCWD } from '../../linux/open-flags.ts';
import { isInUserNamespace } from '../../linux/user-namespace.ts';
import type { HostFacts } from '../../plan/host-facts.ts';
import type { Sys } from '../../sys/sys.ts';

function exists(sys: Sys, path: string): boolean {
  return tryCall(sys, 'faccessat', AT_FDCWD, path, 0) === 0;
}

/** A field of /proc/self/status, such as `CapPrm`, in hexadecimal. */
function statusField(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '0';
}

/** The runtime is root of the host: what it may not do is not for want of privilege. */
export function isPrivileged(sys: Sys): boolean {
  return tryCall(sys, 'geteuid') === 0 && !isInUserNamespace(sys);
}

export function gatherHostFacts(sys: Sys, bundle: string, cgroupDirectory: string | undefined): HostFacts {
  const status = readFileIfExists(sys, '/proc/self/status') ?? '';
  return {
    bundle,
    euid: tryCall(sys, 'geteuid'),
    inUserNamespace: isInUserNamespace(sys),
    permittedCapabilities: BigInt(`0x${statusField(status, 'CapPrm')}`),
    lastCapability: Number(readFileIfExists(sys, '/proc/sys/kernel/cap_last_cap') ?? 40),
    cgroupDirectory,
    apparmor: exists(sys, '/sys/kernel/security/apparmor'),
    selinux: exists(sys, '/sys/fs/selinux/enforce'),
    kcore: exists(sys, '/proc/kcore'),
  };
}
