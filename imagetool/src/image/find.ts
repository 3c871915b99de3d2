/** Images of the store by what a user calls them: a reference, a digest, or the beginning of an id. */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { MAX_MANIFEST_BYTES, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { ImageError } from '../base/errors.ts';
import { encodedOf } from '../digest/digest.ts';
import { formatReference, InvalidReferenceError, parseReference, withDefaultTag } from '../reference/reference.ts';
import { hasBlob, readVerified } from '../store/blobs.ts';
import type { StoredImage } from '../store/entries.ts';
import type { Layout } from '../store/layout.ts';
import { listImages } from '../store/refs.ts';

/** Throws ImageError `no-image`, or `ambiguous` for the beginning of several ids. */
export async function findStoredImage(layout: Layout, text: string): Promise<StoredImage> {
  const images = listImages(layout);
  const named = byName(images, text);
  if (named !== undefined) return named;
  const found = await byId(layout, images, text.replace(/^sha256:/, ''));
  if (found.length > 1) throw new ImageError('ambiguous', `${text} is the beginning of ${found.length} image ids`);
  if (found[0] !== undefined) return found[0];
  throw new ImageError('no-image', `there is no image ${text} in the store`, {
    hint: 'tsimg images lists what is there; tsimg pull fetches.',
  });
}

function byName(images: readonly StoredImage[], text: string): StoredImage | undefined {
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

async function byId(layout: Layout, images: readonly StoredImage[], prefix: string): Promise<StoredImage[]> {
  if (!/^[a-f0-9]{2,64}$/.test(prefix)) return [];
  const found = new Map<Digest, StoredImage>();
  for (const image of images) {
    const ids = [image.descriptor.digest, await configDigest(layout, image.descriptor)];
    if (ids.some((id) => id !== undefined && encodedOf(id).startsWith(prefix))) found.set(image.descriptor.digest, image);
  }
  return [...found.values()];
}

/** The image id: the digest of the configuration. Undefined for an index, whose images have one each. */
export async function configDigest(layout: Layout, image: Descriptor): Promise<Digest | undefined> {
  if (!hasBlob(layout, image.digest)) return undefined;
  const document = parseManifestDocument(await readVerified(layout, image, MAX_MANIFEST_BYTES), image.mediaType);
  return document.kind === 'manifest' ? document.manifest.config.digest : undefined;
}
