/** What has changed in a bundle since it was unpacked. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { isObject } from '../../../specs/image/shape.ts';
import { fromText } from '../archive/byte-string.ts';
import { isNodeError } from '../base/errors.ts';
import { type Change, diffTrees } from '../layer/changes.ts';
import { baseOf, layerPath, parentOf } from '../layer/names.ts';
import { isDirectory, realTree, type Tree } from '../layer/tree.ts';
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
  const mountPoints = mountPointsOf(directory);
  const changes = diffTrees(readBundleTree(directory), tree);
  // Runtimes make the directories they mount on; those are none of the image's.
  const isMountPoint = ({ kind, path, record }: Change) =>
    kind === 'add' && mountPoints.has(path) && record !== undefined && isDirectory(record) && tree.list(path).size === 0;
  return { base, tree, changes: changes.filter((change) => !isMountPoint(change)) };
}

/** Where config.json mounts as byte strings. A bundle without one, or with a damaged one, has none. */
function mountPointsOf(directory: string): Set<string> {
  const points = new Set<string>();
  try {
    const config: unknown = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));
    const mounts = isObject(config) && Array.isArray(config['mounts']) ? config['mounts'] : [];
    for (const mount of mounts)
      if (isObject(mount) && typeof mount['destination'] === 'string') points.add(layerPath(fromText(mount['destination'])));
  } catch (error) {
    if (!isNodeError(error, 'ENOENT') && !(error instanceof SyntaxError)) throw error;
  }
  return points;
}

/** The changes as an uncompressed layer. */
export function bundleLayer({ changes, tree }: BundleChanges, epochSeconds?: number): AsyncIterable<Uint8Array> {
  return writeLayer(changes, tree, {
    parent: (path) => (path === '' ? tree.root : tree.list(parentOf(path)).get(baseOf(path))),
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
  });
}
