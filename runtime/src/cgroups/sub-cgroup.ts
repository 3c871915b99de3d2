/** A cgroup below a container's, for `exec --cgroup`. The container may have made what is there, so the path is not to be trusted. */
import { RuntimeError } from '../base/errors.ts';
import { ELOOP, ENOENT, EXDEV, errnoText } from '../linux/errno.ts';
import { close } from '../linux/files.ts';
import { O_DIRECTORY, O_PATH, RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV } from '../linux/open-flags.ts';
import { openHow, tryOpenat2 } from '../linux/openat2.ts';
import type { Sys } from '../sys/sys.ts';
import { isCgroup2 } from './hierarchy.ts';

/**
 * Opens an existing cgroup at or below another one. Leading slashes mean nothing.
 *
 * @param fd descriptor of the container's cgroup; stays the caller's
 * @returns an O_PATH descriptor, fit for CLONE_INTO_CGROUP, that the caller closes
 * @throws RuntimeError `cgroup-sub-path`
 */
export function openSubCgroup(sys: Sys, fd: number, subPath: string): number {
  const relative = subPath.replace(/^\/+/, '');
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const result = tryOpenat2(sys, fd, relative === '' ? '.' : relative, openHow(O_PATH | O_DIRECTORY(sys.arch), resolve));
  if (result < 0) throw badSubPath(subPath, -result);
  if (isCgroup2(sys, result)) return result;
  close(sys, result);
  throw badSubPath(subPath, EXDEV);
}

function badSubPath(subPath: string, errno: number): RuntimeError {
  const why = errno === EXDEV || errno === ELOOP ? "it leads out of the container's cgroup" : errnoText(errno);
  return new RuntimeError('cgroup-sub-path', `bad sub cgroup path: ${subPath}: ${why}`, {
    configPath: '--cgroup',
    ...(errno === ENOENT ? { hint: "the cgroup must exist; it is looked up below the container's own" } : {}),
  });
}
