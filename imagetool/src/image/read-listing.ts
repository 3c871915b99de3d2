/** The listing of images on Node: what is not known is read, and kept where the store can be written. */

import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { SpecError } from '../../../specs/image/shape.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { nodeFileReader } from '../base/node-file-reader.ts';
import { replaceHint } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';
import { isWhole, type KeptListing, knownListing, type ListedImage, listedImages, type Summary } from './listing.ts';

/** All images of the store, in the order they were named. */
export async function readListing(layout: Layout, platform: Platform): Promise<readonly ListedImage[]> {
  const known = knownListing(nodeFileReader, layout, platform);
  if (known.isCurrent) return known.images;
  for (const { descriptor } of known.entries) {
    if (!known.summaries.has(descriptor.digest)) known.summaries.set(descriptor.digest, await summaryOf(layout, descriptor, platform));
  }
  const images = listedImages(known) ?? [];
  keep(layout, { of: images.every(isWhole) ? known.of : '', images });
  return images;
}

async function summaryOf(layout: Layout, image: Descriptor, platform: Platform): Promise<Summary> {
  const { loadImage } = await import('./load.ts');
  try {
    const { descriptor, manifest, config } = await loadImage(layout, image, platform);
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    const id: Digest = descriptor.digest === image.digest ? manifest.config.digest : image.digest;
    return { id, size, ...(config.created === undefined ? {} : { created: config.created }) };
  } catch (error) {
    // Other platforms, artifacts and damaged images are listed as well: they can be removed.
    if (error instanceof ImageError || error instanceof SpecError) return { id: image.digest };
    throw error;
  }
}

function keep(layout: Layout, kept: KeptListing): void {
  try {
    replaceHint(layout.listing, JSON.stringify(kept));
  } catch (error) {
    if (!isNodeError(error, 'EACCES', 'EROFS', 'EPERM', 'ENOSPC')) throw error;
  }
}
