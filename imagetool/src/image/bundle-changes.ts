/** What has changed in a bundle since it was unpacked. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { isObject, type JsonObject } from '../../../specs/image/shape.ts';
import { fromText } from '../archive/byte-string.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { type Change, diffTrees } from '../layer/changes.ts';
import { baseOf, layerPath, parentOf } from '../layer/names.ts';
import { isDirectory, realTree, type Tree } from '../layer/tree.ts';
import { writeLayer } from '../layer/write.ts';
import { type BundleBase, isUnpacked, readBundleBase, readBundleTree } from './bundle-record.ts';

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

/** The files of any bundle, also of one that another tool has made. Throws ImageError `no-bundle`. */
export function bundleTree(sys: Sys, directory: string): Tree {
  const root = readConfig(directory)?.['root'];
  const path = isObject(root) && typeof root['path'] === 'string' ? root['path'] : undefined;
  if (path === undefined) throw new ImageError('no-bundle', `${directory}/config.json names no root file system`);
  return realTree(sys, resolve(directory, path), { isRootless: isUnpacked(directory) && readBundleBase(directory).isRootless });
}

/** Where config.json mounts as byte strings. A bundle without one, or with a damaged one, has none. */
function mountPointsOf(directory: string): Set<string> {
  const mounts = readConfig(directory)?.['mounts'];
  const destinations = (Array.isArray(mounts) ? mounts : []).flatMap((mount) =>
    isObject(mount) && typeof mount['destination'] === 'string' ? [mount['destination']] : [],
  );
  return new Set(destinations.map((text) => layerPath(fromText(text))));
}

/** Undefined where it is missing or damaged. */
function readConfig(directory: string): JsonObject | undefined {
  try {
    const config: unknown = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));
    return isObject(config) ? config : undefined;
  } catch (error) {
    if (!isNodeError(error, 'ENOENT') && !(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** The changes as an uncompressed layer. */
export function bundleLayer({ changes, tree }: BundleChanges, epochSeconds?: number): AsyncIterable<Uint8Array> {
  return writeLayer(changes, tree, {
    parent: (path) => (path === '' ? tree.root : tree.list(parentOf(path)).get(baseOf(path))),
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
  });
}
