/** All layers of an image as one. */

import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { type CommitOptions, commitImage, storeLayer } from './commit.ts';
import { treeArchive, withImageTree } from './image-tree.ts';
import type { LoadedImage } from './load.ts';
import type { ImageSource } from './source.ts';

/** What upper layers delete is in the new image no more. The history stays, of steps that have no layers of their own. */
export async function squashImage(
  store: Store,
  lease: Lease,
  source: ImageSource,
  platform: Platform,
  options: CommitOptions & { readonly epochSeconds?: number },
): Promise<Descriptor> {
  return await withImageTree(store, source, platform, async (tree, image) => {
    const layer = await storeLayer(store, lease, treeArchive(tree, options.epochSeconds), 'gzip');
    return await commitImage(store, lease, withoutLayers(image), layer, options);
  });
}

function withoutLayers({ descriptor, manifest, config }: LoadedImage): LoadedImage {
  return {
    descriptor,
    manifest: { ...manifest, layers: [] },
    config: {
      ...config,
      rootfs: { ...config.rootfs, diff_ids: [] },
      ...(config.history === undefined ? {} : { history: config.history.map((entry) => ({ ...entry, empty_layer: true })) }),
    },
  };
}
