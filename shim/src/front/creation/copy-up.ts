/** A new volume gets what the image has in its place: docker's copy-up. */

import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { tryCall } from '../../../../runtime/src/linux/call.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { ContainerError } from '../../container/errors.ts';
import { isEmptyVolume, type Volume } from '../../volume/volumes.ts';

const OPEN_HOW_BYTES = 24;

/** Owners, modes, times and links are kept. Does nothing where the volume holds something, or the image has no such directory. */
export function copyUp(sys: Sys, rootfs: string, target: string, volume: Volume): void {
  if (!isEmptyVolume(volume)) return;
  const fd = openDirectoryInRoot(sys, rootfs, target);
  if (fd === undefined) return;
  try {
    const { status, stderr } = spawnSync('cp', ['-a', '--', '/proc/self/fd/3/.', volume.path], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      encoding: 'utf8',
    });
    if (status !== 0) throw new ContainerError('io', `filling volume ${volume.name} from ${target} of the image failed: ${stderr.trim()}`);
  } finally {
    closeSync(fd);
  }
}

/** Whatever links the image has, the directory is one of its own. Undefined where there is none. */
function openDirectoryInRoot(sys: Sys, root: string, path: string): number | undefined {
  const rootFd = tryCall(sys, 'openat', AT_FDCWD, root, O_RDONLY | O_DIRECTORY(sys.arch) | O_CLOEXEC, 0);
  if (rootFd < 0) return undefined;
  const how = new ArrayBuffer(OPEN_HOW_BYTES);
  const view = new DataView(how);
  view.setBigUint64(0, BigInt(O_RDONLY | O_DIRECTORY(sys.arch) | O_CLOEXEC), true);
  view.setBigUint64(16, BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), true);
  const fd = tryCall(sys, 'openat2', rootFd, path, how, OPEN_HOW_BYTES);
  closeSync(rootFd);
  return fd < 0 ? undefined : fd;
}
