/** Mounting a stack of layers with a writable one on top (Documentation/filesystems/overlayfs.rst). */

import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { EINVAL, ENODEV, EOPNOTSUPP, EPERM, syscallError } from '../../../runtime/src/linux/errno.ts';
import { isDigest } from '../../../specs/image/digest.ts';
import { ImageError } from '../base/errors.ts';
import { readIfExists } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';
import type { Store } from '../store/store.ts';
import { layerOf, mountableKind, namesIn, type UnpackedLayer } from './layers.ts';
import { snapshotHome, writeLayerList } from './places.ts';

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
  /** What it holds lives only as long as this process: nothing is written to disk for its sake when it is unmounted. */
  readonly isVolatile?: boolean;
  /** A directory of this machine below all layers. */
  readonly base?: string;
  /** Makes one more directory to lie on the layers, given where to; false where none is needed. */
  readonly makeCover?: (directory: string) => boolean;
}

/**
 * The options of the mount, its lower directories relative to the snapshots' directory: a hundred and twenty of them fit.
 * `index` and `redirect_dir` are off, or the upper directory could not be read as a diff and lower ones not be shared by mounts.
 */
export function overlayOptions(options: SnapshotOptions, hasCover = false): string {
  const cover = hasCover ? [`active/${options.id}/cover`] : [];
  const base = options.base === undefined ? [] : [options.base.replace(/[\\:,]/g, '\\$&')];
  const lower = [...cover, ...[...options.layers].reverse().map((layer) => layer.name), ...base];
  // overlayfs needs a lower directory.
  const stack = lower.length === 0 ? ['empty'] : lower;
  const text = [
    `lowerdir=${stack.join(':')}`,
    `upperdir=active/${options.id}/upper`,
    `workdir=active/${options.id}/work`,
    'index=off',
    // With user xattrs both are off, and the kernel takes offence at hearing it said.
    ...(options.isRootless ? ['userxattr'] : ['redirect_dir=off', 'metacopy=off']),
    ...(options.isVolatile === true ? ['volatile'] : []),
  ].join(',');
  if (Buffer.byteLength(text) > MAX_OPTION_BYTES)
    throw new ImageError('unsupported', `an image of ${options.layers.length} layers has too many for one mount`);
  return text;
}

/** Makes and mounts a snapshot. Undefined where this kernel, user or file system does not take overlayfs: see copySnapshot. */
export function mountSnapshot(store: Store, options: SnapshotOptions): Snapshot | undefined {
  if (!/^\w[\w.-]{0,100}$/.test(options.id)) throw new ImageError('snapshot', `${JSON.stringify(options.id)} is no snapshot id`);
  const home = snapshotHome(store.layout, options.id);
  mkdirSync(join(store.layout.snapshots, 'active'), { recursive: true });
  mkdirSync(join(store.layout.snapshots, 'empty'), { recursive: true });
  mkdirSync(home);
  for (const name of ['upper', 'work', 'merged', 'cover']) mkdirSync(join(home, name));
  // The merged root looks as the topmost directory does, whatever the umask.
  for (const name of ['upper', 'cover']) chmodSync(join(home, name), 0o755);
  writeLayerList(home, options.layers);
  const hasCover = options.makeCover?.(join(home, 'cover')) === true;
  const result = mountIn(store, store.layout.snapshots, join(home, 'merged'), overlayOptions(options, hasCover));
  if (result === 0) return { merged: join(home, 'merged'), upper: join(home, 'upper') };
  rmSync(home, { recursive: true, force: true });
  if ([EPERM, ENODEV, EINVAL, EOPNOTSUPP].includes(-result)) return undefined;
  throw syscallError({ syscall: 'mount', errno: -result, object: `overlay on ${home}/merged` });
}

/** Mounts a snapshot again that is there but not mounted, as after a reboot. @throws ImageError snapshot where it is not there, SyscallError */
export function remountSnapshot(store: Store, id: string): void {
  const home = snapshotHome(store.layout, id);
  const text = readIfExists(join(home, 'layers'));
  if (text === undefined) throw new ImageError('snapshot', `the files of ${id} are gone: there is no ${home}/layers`);
  const diffIds = text.split('\n').filter(isDigest);
  const kind = mountableKind(store);
  const layers = diffIds.map((diffId) => layerOf(diffId, kind));
  const options = overlayOptions({ id, layers, isRootless: kind !== 'root' });
  const result = mountIn(store, store.layout.snapshots, join(home, 'merged'), options);
  if (result !== 0) throw syscallError({ syscall: 'mount', errno: -result, object: `overlay on ${home}/merged` });
}

/** Diff ids of the layers that snapshots stand on. */
export function layersInUse(layout: Layout): Set<string> {
  const active = join(layout.snapshots, 'active');
  return new Set(
    namesIn(active).flatMap((id) => (readIfExists(join(active, id, 'layers')) ?? '').split('\n').filter((line) => line !== '')),
  );
}

/** Unmounts a snapshot; its upper directory stays. */
export function unmountSnapshot(store: Store, id: string): void {
  const home = snapshotHome(store.layout, id);
  const result = tryCall(store.sys, 'umount2', join(home, 'merged'), MNT_DETACH);
  // Not mounted (any more): then only the directories are left.
  if (result < 0 && result !== -EINVAL && result !== -2)
    throw syscallError({ syscall: 'umount2', errno: -result, object: `${home}/merged` });
}

/** Unmounts a snapshot and removes what it has changed. */
export function removeSnapshot(store: Store, id: string): void {
  unmountSnapshot(store, id);
  rmSync(snapshotHome(store.layout, id), { recursive: true, force: true });
}

/** Ids of all snapshots, mounted or left behind. */
export function listSnapshots(layout: Layout): string[] {
  return namesIn(join(layout.snapshots, 'active'));
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
