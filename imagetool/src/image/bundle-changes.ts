/** What has changed in a bundle since it was unpacked. */

import { join } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { type Change, diffTrees } from '../layer/changes.ts';
import { baseOf, parentOf } from '../layer/names.ts';
import { realTree, type Tree } from '../layer/tree.ts';
import { writeLayer } from '../layer/write.ts';
import { type BundleBase, readBundleBase, readBundleTree } from './bundle-record.ts';

export interface BundleChanges {
  readonly base: BundleBase;
  readonly changes: readonly Change[];
  readonly tree: Tree;
}

/** Throws ImageError `no-bundle`. */
export function bundleChanges(sys: Sys, directory: string): BundleChanges {
  const base = readBundleBase(directory);
  const tree = realTree(sys, join(directory, 'rootfs'), { isRootless: base.isRootless });
  return { base, tree, changes: diffTrees(readBundleTree(directory), tree) };
}

/** The changes as an uncompressed layer. */
export function bundleLayer({ changes, tree }: BundleChanges, epochSeconds?: number): AsyncIterable<Uint8Array> {
  return writeLayer(changes, tree, {
    parent: (path) => (path === '' ? tree.root : tree.list(parentOf(path)).get(baseOf(path))),
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
  });
}
