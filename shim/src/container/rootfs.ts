/** The root file system of a container: its image's layers and one that is its own, mounted by the front when it is made, and again after a reboot. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { remountSnapshot, removeSnapshot } from '../../../imagetool/src/snapshot/overlay.ts';
import { isCopied } from '../../../imagetool/src/snapshot/places.ts';
import type { Store } from '../../../imagetool/src/store/store.ts';
import { isMissing } from './files.ts';

export interface RootfsPaths {
  /** What the container sees. */
  readonly merged: string;
  /** What it has changed. */
  readonly upper: string;
}

/** Also the id of the snapshot. */
export function rootfsPaths(store: Store, id: string): RootfsPaths {
  const home = join(store.layout.snapshots, 'active', id);
  return { merged: join(home, 'merged'), upper: join(home, 'upper') };
}

/** Mounts it if it is not mounted. @throws SyscallError, ImageError */
export function ensureRootfs(store: Store, id: string): RootfsPaths {
  const paths = rootfsPaths(store, id);
  if (!isMountPoint(paths.merged) && !isCopied(store.layout, id)) remountSnapshot(store, id);
  return paths;
}

export function removeRootfs(store: Store, id: string): void {
  removeSnapshot(store, id);
}

function isMountPoint(path: string): boolean {
  try {
    return statSync(path).dev !== statSync(join(path, '..')).dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
