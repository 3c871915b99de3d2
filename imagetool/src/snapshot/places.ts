/** Where the things of a snapshot lie. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../store/layout.ts';
import type { UnpackedLayer } from './layers.ts';

export function snapshotHome(layout: Layout, id: string): string {
  return join(layout.snapshots, 'active', id);
}

/** Before anything stands on the layers, so that gc never sees one in use that nobody names. */
export function writeLayerList(home: string, layers: readonly UnpackedLayer[]): void {
  writeFileSync(join(home, 'layers'), layers.map((layer) => `${layer.diffId}\n`).join(''));
}
