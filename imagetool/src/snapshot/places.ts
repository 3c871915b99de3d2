/** Where the things of a snapshot lie. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../store/layout.ts';
import type { UnpackedLayer } from './layers.ts';

/** A file that says that the snapshot beside it is a copy. */
export const COPY_MARK = 'copied';

export function snapshotHome(layout: Layout, id: string): string {
  return join(layout.snapshots, 'active', id);
}

/** Before anything stands on the layers, so that gc never sees one in use that nobody names. */
export function writeLayerList(home: string, layers: readonly UnpackedLayer[]): void {
  writeFileSync(join(home, 'layers'), layers.map((layer) => `${layer.diffId}\n`).join(''));
}

export function isCopied(layout: Layout, id: string): boolean {
  return existsSync(join(snapshotHome(layout, id), COPY_MARK));
}
