/** Images from archives of files: one more layer on an image, or the first one. */

import type { ImageConfig } from '../../../specs/image/config.ts';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { decompress } from '../archive/compression.ts';
import { TarReader } from '../archive/tar-reader.ts';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { type CommitOptions, commitImage, storeLayer } from './commit.ts';
import type { LoadedImage } from './load.ts';

/** An image without layers, to begin with. It is in no store. */
export function emptyImage(platform: Platform): LoadedImage {
  const config: ImageConfig = {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
  };
  const none = { mediaType: OCI.config, digest: 'sha256:' as Descriptor['digest'], size: 0 };
  return { descriptor: none, config, manifest: { schemaVersion: 2, mediaType: OCI.manifest, config: none, layers: [] } };
}

/** Adds an archive, compressed or not, as a layer. Its bytes are kept as they are, but have to be those of a tar archive. Throws TarError. */
export async function appendArchive(
  store: Store,
  lease: Lease,
  base: LoadedImage,
  archive: AsyncIterable<Uint8Array>,
  options: CommitOptions,
): Promise<Descriptor> {
  const layer = await storeLayer(store, lease, checked(decompress(archive)), 'gzip');
  return await commitImage(store, lease, base, layer, options);
}

async function* checked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const reader = new TarReader();
  for await (const chunk of source) {
    for (const _ of reader.push(chunk));
    yield chunk;
  }
  reader.finish();
}
