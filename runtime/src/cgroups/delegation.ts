/** Handing a cgroup to the container's root user (cgroup-v2.rst, "Delegation"; config-linux.md, "Cgroup ownership"). */
import { call, tryCall } from '../linux/call.ts';
import { ENOENT, syscallError } from '../linux/errno.ts';
import { readFileIfExists } from '../linux/files.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';
import { words } from './hierarchy.ts';

/** What kernels without /sys/kernel/cgroup/delegate have. */
const CLASSIC_FILES: readonly string[] = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

/** `(uid_t)-1`: leaves the group as it is. */
const UNCHANGED = -1;

/**
 * Makes a host user the owner of a cgroup's directory and of the files that the kernel lists as safe to delegate. Limits are not among them.
 * To be done only where the container has a cgroup namespace of its own and a writable cgroup mount.
 *
 * @param directoryFd descriptor of the cgroup, O_PATH will do
 * @param hostUid the host's id of the container's uid 0
 */
export function delegateCgroup(sys: Sys, directoryFd: number, hostUid: number): void {
  const list = readFileIfExists(sys, '/sys/kernel/cgroup/delegate');
  call(sys, 'fchownat', 'cgroup directory', directoryFd, '', hostUid, UNCHANGED, AT_EMPTY_PATH);
  for (const file of list === undefined ? CLASSIC_FILES : words(list)) {
    const result = tryCall(sys, 'fchownat', directoryFd, file, hostUid, UNCHANGED, AT_SYMLINK_NOFOLLOW);
    // Files of controllers that this cgroup does not have, and some that only the root has.
    if (result < 0 && result !== -ENOENT) throw syscallError({ syscall: 'fchownat', errno: -result, object: file });
  }
}
