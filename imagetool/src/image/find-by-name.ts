/** An image of the store by its name, on both engines. */

import { formatReference, InvalidReferenceError, parseReference, withDefaultTag } from '../reference/reference.ts';
import type { StoredImage } from '../store/entries.ts';

export function findByName(images: readonly StoredImage[], text: string): StoredImage | undefined {
  // Names that other tools gave need not be references.
  const literal = images.find((image) => image.name === text);
  if (literal !== undefined) return literal;
  try {
    const reference = withDefaultTag(parseReference(text));
    if (reference.digest !== undefined) return images.find((image) => image.descriptor.digest === reference.digest);
    const full = formatReference(reference);
    return images.find((image) => image.name === full);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}
