/** Garbage collection of all that a store holds: blobs first, then unpacked layers of images that are gone. */

import { MAX_CONFIG_BYTES, parseImageConfig } from '../../../specs/image/config.ts';
import { isConfigType } from '../../../specs/image/media-types.ts';
import { SpecError } from '../../../specs/image/shape.ts';
import { removeUnneededLayers } from '../snapshot/layers.ts';
import { layersInUse } from '../snapshot/overlay.ts';
import { hasBlob, readVerified } from '../store/blobs.ts';
import type { StoredImage } from '../store/entries.ts';
import { collectGarbage, type GcOptions, type GcResult } from '../store/gc.ts';
import type { Layout } from '../store/layout.ts';
import { withLock } from '../store/lock.ts';
import { reachableFrom } from '../store/reachable.ts';
import { listImages, removeImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';

export interface FullGcResult extends GcResult {
  /** Diff ids of unpacked layers that were removed. */
  readonly removedLayers: readonly string[];
}

export async function collectAllGarbage(store: Store, options: GcOptions = {}): Promise<FullGcResult> {
  const result = await collectGarbage(store, options);
  if (options.dryRun === true) return { ...result, removedLayers: [] };
  const removedLayers = await withLock(store.sys, store.layout.lock, 'exclusive', async () => {
    const needed = await diffIdsOf(store.layout);
    const inUse = layersInUse(store.layout);
    return removeUnneededLayers(store.layout, (diffId) => needed.has(diffId) || inUse.has(diffId));
  });
  return { ...result, removedLayers };
}

/** Takes images without a name out of the store. Returns them; their content goes with the next gc. */
export async function removeDangling(store: Store): Promise<StoredImage[]> {
  const all = listImages(store.layout);
  const named = new Set(all.filter((one) => one.name !== undefined).map((one) => one.descriptor.digest));
  const dangling = all.filter((one) => !named.has(one.descriptor.digest));
  for (const { descriptor } of dangling) await removeImage(store, descriptor.digest);
  return dangling;
}

/** Of all images in the store, of all platforms that are there. */
async function diffIdsOf(layout: Layout): Promise<Set<string>> {
  const { descriptors } = await reachableFrom(
    layout,
    listImages(layout).map((image) => image.descriptor),
  );
  const ids = new Set<string>();
  for (const descriptor of descriptors.values()) {
    if (!isConfigType(descriptor.mediaType) || !hasBlob(layout, descriptor.digest)) continue;
    try {
      for (const id of parseImageConfig(await readVerified(layout, descriptor, MAX_CONFIG_BYTES)).rootfs.diff_ids) ids.add(id);
    } catch (error) {
      // An artifact's configuration may be anything; it has no layers to unpack.
      if (!(error instanceof SpecError)) throw error;
    }
  }
  return ids;
}
