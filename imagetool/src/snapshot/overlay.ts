/** Mounting a stack of layers with a writable one on top (Documentation/filesystems/overlayfs.rst). */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { EINVAL, ENODEV, EOPNOTSUPP, EPERM, syscallError } from '../../../runtime/src/linux/errno.ts';
import { ImageError } from '../base/errors.ts';
import { readIfExists } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';
import type { Store } from '../store/store.ts';
import { namesIn, type UnpackedLayer } from './layers.ts';

/** mount(2) takes one page of options, the final NUL included. */
const MAX_OPTION_BYTES = 4095;
const MNT_DETACH = 2;

export interface Snapshot {
  /** What the container sees. */
  readonly merged: string;
  /** What it has changed: see overlayChanges. */
  readonly upper: string;
}

export interface SnapshotOptions {
  /** Letters, digits, `_`, `.`, `-`. */
  readonly id: string;
  /** Bottom first. */
  readonly layers: readonly UnpackedLayer[];
  readonly isRootless: boolean;
}

/**
 * The options of the mount, its lower directories relative to the snapshots' directory: a hundred and twenty of them fit.
 * `index` and `redirect_dir` are off, or the upper directory could not be read as a diff and lower ones not be shared by mounts.
 */
export function overlayOptions(options: SnapshotOptions): string {
  const lower = [...options.layers].reverse().map((layer) => layer.name);
  // overlayfs needs a lower directory.
  const stack = lower.length === 0 ? ['empty'] : lower;
  const text = [
    `lowerdir=${stack.join(':')}`,
    `upperdir=active/${options.id}/upper`,
    `workdir=active/${options.id}/work`,
    'index=off',
    'redirect_dir=off',
    'metacopy=off',
    ...(options.isRootless ? ['userxattr'] : []),
  ].join(',');
  if (Buffer.byteLength(text) > MAX_OPTION_BYTES)
    throw new ImageError('unsupported', `an image of ${options.layers.length} layers has too many for one mount`);
  return text;
}

/** Makes and mounts a snapshot. Undefined where this kernel or user may not mount overlayfs: then trees are to be copied. */
export function mountSnapshot(store: Store, options: SnapshotOptions): Snapshot | undefined {
  if (!/^\w[\w.-]{0,100}$/.test(options.id)) throw new ImageError('snapshot', `${JSON.stringify(options.id)} is no snapshot id`);
  const home = join(store.layout.snapshots, 'active', options.id);
  mkdirSync(join(store.layout.snapshots, 'active'), { recursive: true });
  mkdirSync(join(store.layout.snapshots, 'empty'), { recursive: true });
  mkdirSync(home);
  for (const name of ['upper', 'work', 'merged']) mkdirSync(join(home, name));
  // Before the mount, so that gc never sees a mounted layer that nobody names.
  writeFileSync(join(home, 'layers'), options.layers.map((layer) => `${layer.diffId}\n`).join(''));
  const result = mountIn(store, store.layout.snapshots, join(home, 'merged'), overlayOptions(options));
  if (result === 0) return { merged: join(home, 'merged'), upper: join(home, 'upper') };
  rmSync(home, { recursive: true, force: true });
  if ([EPERM, ENODEV, EINVAL, EOPNOTSUPP].includes(-result)) return undefined;
  throw syscallError({ syscall: 'mount', errno: -result, object: `overlay on ${home}/merged` });
}

/** Diff ids of the layers that snapshots stand on. */
export function layersInUse(layout: Layout): Set<string> {
  const active = join(layout.snapshots, 'active');
  return new Set(
    namesIn(active).flatMap((id) => (readIfExists(join(active, id, 'layers')) ?? '').split('\n').filter((line) => line !== '')),
  );
}

/** Unmounts a snapshot and removes what it has changed. */
export function removeSnapshot(store: Store, id: string): void {
  const home = join(store.layout.snapshots, 'active', id);
  const result = tryCall(store.sys, 'umount2', join(home, 'merged'), MNT_DETACH);
  // Not mounted (any more): then only the directories are left.
  if (result < 0 && result !== -EINVAL && result !== -2)
    throw syscallError({ syscall: 'umount2', errno: -result, object: `${home}/merged` });
  rmSync(home, { recursive: true, force: true });
}

/** Relative directories count from the working directory, which is the process's; nothing else runs in between. */
function mountIn(store: Store, directory: string, target: string, options: string): number {
  const before = process.cwd();
  process.chdir(directory);
  try {
    return tryCall(store.sys, 'mount', 'overlay', target, 'overlay', 0, options);
  } finally {
    process.chdir(before);
  }
}
