/** Which blobs an image is made of. */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { MAX_MANIFEST_BYTES, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { isIndexType, isManifestType } from '../../../specs/image/media-types.ts';
import { SpecError } from '../../../specs/image/shape.ts';
import { ImageError } from '../base/errors.ts';
import { readVerified } from './blobs.ts';
import type { Layout } from './layout.ts';

export interface Reachable {
  /** Everything the image's documents name, itself included, there or not. */
  readonly descriptors: ReadonlyMap<Digest, Descriptor>;
  /** Documents that are missing (other platforms of an index are, normally) or damaged: what they name is not known. */
  readonly unread: readonly Descriptor[];
}

/** Walks from descriptors down through indexes and manifests. Each document is read once. */
export async function reachableFrom(layout: Layout, roots: readonly Descriptor[]): Promise<Reachable> {
  const descriptors = new Map<Digest, Descriptor>();
  const unread: Descriptor[] = [];
  const queue = [...roots];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (descriptors.has(next.digest)) continue;
    descriptors.set(next.digest, next);
    if (!isIndexType(next.mediaType) && !isManifestType(next.mediaType)) continue;
    const children = await childrenOf(layout, next);
    if (children === undefined) unread.push(next);
    else queue.push(...children);
  }
  return { descriptors, unread };
}

async function childrenOf(layout: Layout, descriptor: Descriptor): Promise<Descriptor[] | undefined> {
  try {
    const document = parseManifestDocument(await readVerified(layout, descriptor, MAX_MANIFEST_BYTES), descriptor.mediaType);
    return document.kind === 'index' ? document.index.manifests : [document.manifest.config, ...document.manifest.layers];
  } catch (error) {
    if (error instanceof ImageError || error instanceof SpecError) return undefined;
    throw error;
  }
}
