/**
 * What `tsimg images` shows, kept beside the index that it was made of: the content behind a digest does not change, and reading a thousand manifests
 * and configurations would take longer than anything else about it. While the index is the same file, not even that is read.
 */

import { statSync } from 'node:fs';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { isObject, SpecError } from '../../../specs/image/shape.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { familiarRepository, InvalidReferenceError, parseReference } from '../reference/reference.ts';
import { readIfExists, replaceHint } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';
import { listImages } from '../store/refs.ts';

export interface ListedImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  /** The image id: the digest of the configuration, or of the index. */
  readonly id: string;
  readonly created?: string;
  /** Bytes of the layers as stored. Absent for what has no image for this platform. */
  readonly size?: number;
}

type Summary = Pick<ListedImage, 'id' | 'created' | 'size'>;

interface Kept {
  /** Which index, and for which platform. */
  readonly of: string;
  readonly images: readonly ListedImage[];
}

const NONE = '<none>';

/** All images of the store, in the order they were named. What has been found out is kept where the store can be written. */
export async function readListing(layout: Layout, platform: Platform): Promise<readonly ListedImage[]> {
  // Before the index is read: one that is replaced meanwhile is at worst read again the next time.
  const of = `${indexIdentity(layout)} ${platform.os}/${platform.architecture}/${platform.variant ?? ''}`;
  const kept = readKept(layout);
  if (kept?.of === of) return kept.images;
  const known = new Map<string, Summary>();
  for (const { repository: _, tag: __, ...image } of kept?.images ?? []) if (isWhole(image)) known.set(image.digest, image);
  const images: ListedImage[] = [];
  for (const image of listImages(layout)) {
    const { digest } = image.descriptor;
    const summary = known.get(digest) ?? (await summaryOf(layout, image.descriptor, platform));
    known.set(digest, summary);
    images.push({ ...splitName(image.name), digest, ...summary });
  }
  // What could not be read may be pulled again, which the index does not show.
  keep(layout, { of: images.every(isWhole) ? of : '', images });
  return images;
}

/** Every change of the index gives it another inode, or, where a tool writes in place, another time or size. */
function indexIdentity(layout: Layout): string {
  const { ino, size, mtimeNs, ctimeNs } = statSync(layout.index, { bigint: true });
  return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function isWhole(image: Summary): boolean {
  return image.size !== undefined;
}

function splitName(name: string | undefined): { repository: string; tag: string } {
  if (name === undefined) return { repository: NONE, tag: NONE };
  try {
    const reference = parseReference(name);
    return { repository: familiarRepository(reference), tag: reference.tag ?? NONE };
  } catch (error) {
    if (error instanceof InvalidReferenceError) return { repository: name, tag: NONE };
    throw error;
  }
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

function readKept(layout: Layout): Kept | undefined {
  const text = readIfExists(layout.listing);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value['of'] === 'string' && Array.isArray(value['images']) ? (value as unknown as Kept) : undefined;
  } catch {
    // Cut off by a crash: it is made anew.
    return undefined;
  }
}

function keep(layout: Layout, kept: Kept): void {
  try {
    replaceHint(layout.listing, JSON.stringify(kept));
  } catch (error) {
    if (!isNodeError(error, 'EACCES', 'EROFS', 'EPERM', 'ENOSPC')) throw error;
  }
}
