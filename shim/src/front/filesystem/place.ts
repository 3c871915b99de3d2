/** A place inside a container, opened so that no link of the container leads out of it. */

import { closeSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { tryCall } from '../../../../runtime/src/linux/call.ts';
import { ENOENT, ENOTDIR, syscallError } from '../../../../runtime/src/linux/errno.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { invalid } from '../../container/errors.ts';
import { hasErrorCode } from '../../container/files.ts';

const OPEN_HOW_BYTES = 24;

/** The descriptor of what is at `path` below `root`; undefined for nothing. The caller closes it. */
export function openInRoot(sys: Sys, root: string, path: string, kind: 'any' | 'directory'): number | undefined {
  const rootFd = tryCall(sys, 'openat', AT_FDCWD, root, O_RDONLY | O_DIRECTORY(sys.arch) | O_CLOEXEC, 0);
  if (rootFd < 0) throw syscallError({ syscall: 'openat', errno: -rootFd, object: root });
  const how = new ArrayBuffer(OPEN_HOW_BYTES);
  const view = new DataView(how);
  const flags = kind === 'any' ? O_PATH : O_RDONLY | O_DIRECTORY(sys.arch);
  view.setBigUint64(0, BigInt(flags | O_CLOEXEC), true);
  view.setBigUint64(16, BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), true);
  const fd = tryCall(sys, 'openat2', rootFd, path, how, OPEN_HOW_BYTES);
  closeSync(rootFd);
  if (fd >= 0) return fd;
  if (fd === -ENOENT || fd === -ENOTDIR) return undefined;
  throw syscallError({ syscall: 'openat2', errno: -fd, object: path });
}

const MAX_LINKS = 40;

/** Where the links at the end of a path lead, as the container sees it. @throws ContainerError invalid where they lead in a circle */
export function followLinks(sys: Sys, root: string, path: string): string {
  let place = path;
  for (let count = 0; count < MAX_LINKS; count += 1) {
    const { directory, name } = splitPath(place);
    const fd = openInRoot(sys, root, directory, 'directory');
    if (fd === undefined) return place;
    try {
      const target = linkTarget(`/proc/self/fd/${fd}/${name}`);
      if (target === undefined) return place;
      place = target.startsWith('/') ? target : `${directory}/${target}`;
    } finally {
      closeSync(fd);
    }
  }
  throw invalid(`too many links at ${path}`);
}

/** Undefined for what is no link. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (hasErrorCode(error, 'EINVAL') || hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export interface SplitPath {
  readonly directory: string;
  readonly name: string;
  /** Written with `/.` at its end: what is in the directory is meant. */
  readonly isContent: boolean;
  /** Written with a slash at its end: it must be a directory. */
  readonly mustBeDirectory: boolean;
}

export function splitPath(path: string): SplitPath {
  const normal = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
  return {
    directory: posix.dirname(normal),
    name: posix.basename(normal),
    isContent: /(^|\/)\.$/.test(path),
    mustBeDirectory: path.endsWith('/'),
  };
}
