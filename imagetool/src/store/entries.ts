/**
 * The entries of index.json: which images the store has. A named entry carries its full reference in the annotations that skopeo and umoci
 * (`org.opencontainers.image.ref.name`) and containerd and docker (`io.containerd.image.name`) look at. An entry without a name is an image that
 * lost it: it stays until it is removed or pruned, as with docker.
 */

import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Index } from '../../../specs/image/manifest.ts';

export interface StoredImage {
  /** The full reference; undefined for an image without a name. Entries another tool wrote may have any text. */
  readonly name?: string;
  readonly descriptor: Descriptor;
}

/** In the order they were made. */
export function entriesOf(index: Index): StoredImage[] {
  return index.manifests.map(entryOf);
}

export function entryOf(descriptor: Descriptor): StoredImage {
  const name = nameOf(descriptor);
  return name === undefined ? { descriptor } : { name, descriptor };
}

export function nameOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[ANNOTATION.containerdImageName] ?? descriptor.annotations?.[ANNOTATION.refName];
}
