/** An image wherever it is: in the store, or at a registry, from which nothing is pulled that is not looked at. */

import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { openVerified, readVerified } from '../store/blobs.ts';
import type { Layout } from '../store/layout.ts';
import { findStoredImage } from './find.ts';
import { type LoadedImage, loadImage } from './load.ts';

export interface ImageSource {
  readonly name?: string;
  /** What the name stands for: an index, where it leads to one. */
  readonly descriptor: Descriptor;
  /** The manifest's or index's bytes. */
  raw(): Promise<Buffer>;
  /** The image for one platform. */
  load(platform: Platform): Promise<LoadedImage>;
  /** A blob's bytes; ends in an error unless they are what the descriptor says. */
  open(blob: Descriptor): AsyncIterable<Uint8Array>;
}

/** Throws ImageError `no-image`. */
export async function storedSource(layout: Layout, text: string): Promise<ImageSource> {
  const { name, descriptor } = await findStoredImage(layout, text);
  return {
    ...(name === undefined ? {} : { name }),
    descriptor,
    raw: () => readVerified(layout, descriptor),
    load: (platform) => loadImage(layout, descriptor, platform),
    open: (blob) => openVerified(layout, blob),
  };
}
