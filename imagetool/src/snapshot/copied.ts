/**
 * Snapshots where overlayfs cannot be mounted (on another overlayfs, or where the kernel or the user may not): the layers' tree, copied. Their place is
 * that of mounted ones; what has changed in them is found by comparing, since there is no upper directory.
 */

import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Change, diffTrees } from '../layer/changes.ts';
import { copyTree } from '../layer/copy-tree.ts';
import { overlayChanges } from '../layer/overlay-changes.ts';
import { realTree, type Tree } from '../layer/tree.ts';
import type { Store } from '../store/store.ts';
import type { Snapshot, SnapshotOptions } from './overlay.ts';
import { COPY_MARK, isCopied, snapshotHome, writeLayerList } from './places.ts';
import { type SearchableTree, stackedTree } from './stacked-tree.ts';

/** Makes a snapshot as mountSnapshot does, by copying. `upper` stays empty. */
export function copySnapshot(store: Store, { id, layers, isRootless }: Pick<SnapshotOptions, 'id' | 'layers' | 'isRootless'>): Snapshot {
  const home = snapshotHome(store.layout, id);
  mkdirSync(home, { recursive: true });
  try {
    for (const name of ['upper', 'merged']) mkdirSync(join(home, name));
    chmodSync(join(home, 'merged'), 0o755);
    writeLayerList(home, layers);
    const directories = [...layers].reverse().map((layer) => join(store.layout.snapshots, layer.name));
    copyTree(store.sys, stackedTree(store.sys, directories, { isRootless }), join(home, 'merged'), { isRootless });
    writeFileSync(join(home, COPY_MARK), '');
    return { merged: join(home, 'merged'), upper: join(home, 'upper') };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

/** What has changed in a snapshot, mounted or copied, and the tree in which the changed files are. @param lower the tree of its layers */
export function snapshotChanges(
  store: Store,
  id: string,
  lower: SearchableTree,
  options: { readonly isRootless: boolean },
): { readonly changes: Change[]; readonly upper: Tree } {
  const home = snapshotHome(store.layout, id);
  if (isCopied(store.layout, id)) {
    const upper = realTree(store.sys, join(home, 'merged'), options);
    return { changes: diffTrees(lower, upper), upper };
  }
  const upper = realTree(store.sys, join(home, 'upper'), options);
  return { changes: overlayChanges(upper, (path) => lower.find(path)), upper };
}
