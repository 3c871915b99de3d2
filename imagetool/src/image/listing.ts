/**
 * What `tsimg images` shows, kept beside the index that it was made of: the content behind a digest does not change, and reading a thousand manifests
 * and configurations would take longer than anything else about it. While the index is the same file, not even that is read. On both engines.
 */

import type { Platform } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { parseIndex } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { isObject } from '../../../specs/image/shape.ts';
import { ImageError } from '../base/errors.ts';
import type { FileReader } from '../base/file-reader.ts';
import { familiarRepository, InvalidReferenceError, parseReference } from '../reference/reference.ts';
import { entriesOf, type StoredImage } from '../store/entries.ts';
import type { Layout } from '../store/layout.ts';

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

export type Summary = Pick<ListedImage, 'id' | 'created' | 'size'>;

export interface KeptListing {
  /** Which index, and for which platform. */
  readonly of: string;
  readonly images: readonly ListedImage[];
}

/** What is known before any image is read. */
export type KnownListing =
  | { readonly isCurrent: true; readonly images: readonly ListedImage[] }
  | { readonly isCurrent: false; readonly of: string; readonly entries: readonly StoredImage[]; readonly summaries: Map<Digest, Summary> };

const NONE = '<none>';

/** Throws ImageError `layout` where there is no index. */
export function knownListing(files: FileReader, layout: Layout, platform: Platform): KnownListing {
  // Before the index is read: one that is replaced meanwhile is at worst read again the next time.
  const of = `${files.identity(layout.index)} ${platform.os}/${platform.architecture}/${platform.variant ?? ''}`;
  const kept = parseKept(files.text(layout.listing));
  if (kept?.of === of) return { isCurrent: true, images: kept.images };
  const summaries = new Map<Digest, Summary>();
  for (const { repository: _, tag: __, digest, ...summary } of kept?.images ?? []) if (isWhole(summary)) summaries.set(digest, summary);
  const index = files.text(layout.index);
  if (index === undefined) throw new ImageError('layout', `${layout.index} is missing`);
  return { isCurrent: false, of, entries: entriesOf(parseIndex(index, OCI.index)), summaries };
}

/** The images of the store in the order they were named; undefined unless there is a summary of each. */
export function listedImages(known: KnownListing): readonly ListedImage[] | undefined {
  if (known.isCurrent) return known.images;
  const images: ListedImage[] = [];
  for (const { name, descriptor } of known.entries) {
    const summary = known.summaries.get(descriptor.digest);
    if (summary === undefined) return undefined;
    images.push({ ...splitName(name), digest: descriptor.digest, ...summary });
  }
  return images;
}

/** Whether all is known that there is to know: what could not be read may be pulled again, which the index does not show. */
export function isWhole(image: Summary): boolean {
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

function parseKept(text: string | undefined): KeptListing | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isKept = isObject(value) && typeof value['of'] === 'string' && Array.isArray(value['images']);
    return isKept ? (value as unknown as KeptListing) : undefined;
  } catch {
    // Cut off by a crash: it is made anew.
    return undefined;
  }
}
