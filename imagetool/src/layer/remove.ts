/** Removing what stands in the way, without following anything. */

import { readdirSync } from 'node:fs';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { ELOOP, ENOENT, ENOTDIR, syscallError } from '../../../runtime/src/linux/errno.ts';
import { AT_REMOVEDIR, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from '../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import { pathArgument } from './names.ts';

/** Names in an open directory, as byte strings, in the file system's order. */
export function namesIn(fd: number): string[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' });
}

/** Removes a name beside an open directory, and all below it. Returns false if there was nothing. */
export function removeTree(sys: Sys, parentFd: number, name: string): boolean {
  const argument = pathArgument(name);
  const result = tryCall(sys, 'unlinkat', parentFd, argument, 0);
  if (result === 0) return true;
  if (result === -ENOENT) return false;
  const fd = tryCall(sys, 'openat', parentFd, argument, O_RDONLY | O_DIRECTORY(sys.arch) | O_NOFOLLOW(sys.arch) | O_CLOEXEC, 0);
  // Not a directory: then unlinking it failed for a reason of its own.
  if (fd < 0) throw syscallError({ syscall: 'unlinkat', errno: fd === -ENOTDIR || fd === -ELOOP ? -result : -fd, object: toText(name) });
  try {
    for (const child of namesIn(fd)) removeTree(sys, fd, child);
  } finally {
    tryCall(sys, 'close', fd);
  }
  call(sys, 'unlinkat', toText(name), parentFd, argument, AT_REMOVEDIR);
  return true;
}
