/** Where this host has its cgroup v2 hierarchy, and what it offers. */
import { type ErrorDetails, RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { readFile, readFileIfExists } from '../linux/files.ts';
import type { Sys } from '../sys/sys.ts';

export interface Hierarchy {
  readonly mountPoint: string;
  /** False on a hybrid host, where cgroup v1 owns most controllers and v2 has what is left. */
  readonly unified: boolean;
}

const UNIFIED_MOUNT_POINT = '/sys/fs/cgroup';
const HYBRID_MOUNT_POINT = '/sys/fs/cgroup/unified';
const CGROUP2_SUPER_MAGIC = 0x63677270;
/** sizeof(struct statfs) on 64-bit architectures; `f_type` is its first member. */
const STATFS_BYTES = 120;

/** The cgroup v2 hierarchy as systemd and all engines mount it; undefined where there is none. */
export function findHierarchy(sys: Sys): Hierarchy | undefined {
  if (isCgroup2(sys, UNIFIED_MOUNT_POINT)) return { mountPoint: UNIFIED_MOUNT_POINT, unified: true };
  if (isCgroup2(sys, HYBRID_MOUNT_POINT)) return { mountPoint: HYBRID_MOUNT_POINT, unified: false };
  return undefined;
}

/** Whether a path, or an open descriptor (O_PATH will do), is on a cgroup v2 file system. */
export function isCgroup2(sys: Sys, target: string | number): boolean {
  const buffer = new ArrayBuffer(STATFS_BYTES);
  const result = typeof target === 'string' ? tryCall(sys, 'statfs', target, buffer) : tryCall(sys, 'fstatfs', target, buffer);
  return result === 0 && new DataView(buffer).getInt32(0, true) === CGROUP2_SUPER_MAGIC;
}

/** The error for an operation that cannot do without a cgroup. */
export function noHierarchyError(details: ErrorDetails = {}): RuntimeError {
  return new RuntimeError(
    'cgroup-no-v2',
    `no cgroup v2 hierarchy at ${UNIFIED_MOUNT_POINT} or ${HYBRID_MOUNT_POINT}; boot with systemd.unified_cgroup_hierarchy=1 or mount one: mount -t cgroup2 none ${UNIFIED_MOUNT_POINT}`,
    details,
  );
}

/**
 * The v2 cgroup of a process as its text in /proc/PID/cgroup, seen from our cgroup namespace: it starts with a slash,
 * and with `/..` when the process is outside of the namespace's root. Undefined when the process or the hierarchy is missing.
 */
export function cgroupOfProcess(sys: Sys, pid: number | 'self'): string | undefined {
  const text = readFileIfExists(sys, `/proc/${pid}/cgroup`);
  return text === undefined ? undefined : parseProcCgroup(text);
}

/** The path on the `0::` line of /proc/PID/cgroup, without the mark of a removed cgroup. */
export function parseProcCgroup(text: string): string | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith('0::'));
  return line?.slice('0::'.length).replace(/ \(deleted\)$/, '');
}

/** The controllers that a cgroup can use: what the kernel has, and what its ancestors have passed on. Default: the hierarchy's root. */
export function availableControllers(sys: Sys, directory: string): string[] {
  return words(readFile(sys, `${directory}/cgroup.controllers`));
}

/** The space-separated words of a kernel file. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
