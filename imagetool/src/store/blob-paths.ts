/** Where the things of one blob lie. */

import { join } from 'node:path';
import type { Digest } from '../../../specs/image/digest.ts';
import { algorithmOf, encodedOf } from '../digest/digest.ts';
import type { Layout } from './layout.ts';

/** Path of a blob. Throws DigestError for an algorithm that cannot be checked: nothing unverifiable is ever stored. */
export function blobPath(layout: Layout, digest: Digest): string {
  return join(layout.blobs, algorithmOf(digest), encodedOf(digest));
}

export function ingestPath(layout: Layout, digest: Digest): string {
  return join(layout.ingest, fileNameOf(digest));
}

export function labelsPath(layout: Layout, digest: Digest): string {
  return join(layout.labels, fileNameOf(digest));
}

function fileNameOf(digest: Digest): string {
  return `${algorithmOf(digest)}-${encodedOf(digest)}`;
}
