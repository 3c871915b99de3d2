/** From an image of the store to a mounted snapshot: layers are unpacked side by side, where they are not unpacked already. */

import { ImageError } from '../base/errors.ts';
import { ensureLayer, mountableKind, type UnpackedLayer } from '../snapshot/layers.ts';
import { mountSnapshot, type Snapshot } from '../snapshot/overlay.ts';
import { hasBlob, openVerified } from '../store/blobs.ts';
import type { Store } from '../store/store.ts';
import type { LoadedImage } from './load.ts';
import { inParallel } from './parallel.ts';

export interface PrepareOptions {
  readonly id: string;
  readonly isRootless: boolean;
  /** Layers unpacked at once. */
  readonly parallel?: number;
}

/** The image's layers, unpacked, bottom first. */
export async function unpackedLayers(
  store: Store,
  image: LoadedImage,
  options: Pick<PrepareOptions, 'isRootless' | 'parallel'>,
): Promise<UnpackedLayer[]> {
  const layers = new Map<number, UnpackedLayer>();
  const kind = options.isRootless ? 'recorded' : mountableKind(store);
  await inParallel(image.manifest.layers.entries(), options.parallel ?? 2, async ([index, blob], signal) => {
    const diffId = image.config.rootfs.diff_ids[index];
    if (diffId === undefined || !hasBlob(store.layout, blob.digest))
      throw new ImageError('incomplete', `layer ${blob.digest} of the image is not in the store`);
    layers.set(index, await ensureLayer(store, diffId, () => openVerified(store.layout, blob), { kind, signal }));
  });
  return [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer);
}

/** A writable tree of the image: mounted, or copied where overlayfs cannot be used. */
export async function prepareSnapshot(store: Store, image: LoadedImage, options: PrepareOptions): Promise<Snapshot> {
  const snapshot = { id: options.id, layers: await unpackedLayers(store, image, options), isRootless: options.isRootless };
  const mounted = mountSnapshot(store, { ...snapshot, isRootless: snapshot.isRootless || mountableKind(store) !== 'root' });
  if (mounted !== undefined) return mounted;
  const { copySnapshot } = await import('../snapshot/copied.ts');
  return copySnapshot(store, snapshot);
}
