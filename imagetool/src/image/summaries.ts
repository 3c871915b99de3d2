/**
 * What a listing shows of each image, kept by digest: the content behind a digest does not change, and reading a thousand manifests and
 * configurations for `tsimg images` would take longer than anything else about it.
 */

import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { isObject, SpecError } from '../../../specs/image/shape.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { readIfExists, replaceHint } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';

export interface ImageSummary {
  /** The image id: the digest of the configuration, or of the index. */
  readonly id: string;
  readonly created?: string;
  /** Bytes of the layers as stored. Absent for what has no image for this platform. */
  readonly size?: number;
}

/** Summaries of images, in their order. Those not known yet are made and, where the store can be written, kept. */
export async function summarize(layout: Layout, images: readonly Descriptor[], platform: Platform): Promise<ImageSummary[]> {
  const known = readSummaries(layout);
  const kept: Record<string, ImageSummary> = {};
  let isNew = Object.keys(known).length > images.length;
  for (const image of images) {
    const summary = kept[image.digest] ?? known[image.digest];
    isNew ||= summary === undefined;
    kept[image.digest] = summary ?? (await summaryOf(layout, image, platform));
  }
  if (isNew) keep(layout, kept);
  return images.map((image) => kept[image.digest] ?? { id: image.digest });
}

async function summaryOf(layout: Layout, image: Descriptor, platform: Platform): Promise<ImageSummary> {
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

function readSummaries(layout: Layout): Record<string, ImageSummary | undefined> {
  const text = readIfExists(layout.summaries);
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? (value as Record<string, ImageSummary>) : {};
  } catch {
    // Cut off by a crash: it is made anew.
    return {};
  }
}

/** An image that could not be read may be pulled again: its summary is not kept. */
function keep(layout: Layout, summaries: Readonly<Record<string, ImageSummary>>): void {
  const whole = Object.fromEntries(Object.entries(summaries).filter(([, summary]) => summary.size !== undefined));
  try {
    replaceHint(layout.summaries, JSON.stringify(whole));
  } catch (error) {
    if (!isNodeError(error, 'EACCES', 'EROFS', 'EPERM', 'ENOSPC')) throw error;
  }
}
