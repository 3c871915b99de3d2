/** Base images of builds: from the store, or pulled into it. */

import { resolve } from 'node:path';
import type { Platform } from '../../../specs/image/descriptor.ts';
import { ImageError } from '../base/errors.ts';
import type { LayoutImage } from '../image/copy-layout.ts';
import { findStoredImage } from '../image/find.ts';
import { type LoadedImage, loadImage } from '../image/load.ts';
import { parseReference, withDefaultTag } from '../reference/reference.ts';
import { hasBlob } from '../store/blobs.ts';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import type { Context } from './command.ts';

export interface BaseImageOptions {
  readonly context: Context;
  readonly store: Store;
  readonly lease: Lease;
  readonly platform: Platform;
  /** Ask the registry in any case. */
  readonly pull: boolean;
  readonly note: (text: string) => void;
}

const LAYOUT = 'oci-layout://';

export function isLayoutReference(text: string): boolean {
  return text.startsWith(LAYOUT);
}

/** Also of `oci-layout://…`. Throws RegistryError, ImageError. */
export async function baseImage(reference: string, options: BaseImageOptions): Promise<LoadedImage> {
  if (isLayoutReference(reference)) {
    const { copyFromLayout } = await import('../image/copy-layout.ts');
    return await copyFromLayout(options.store, options.lease, layoutImage(reference, options.platform));
  }
  const stored = options.pull ? undefined : await storedImage(reference, options);
  const image = stored ?? (await pulled(reference, options));
  await options.lease.protect(image.descriptor.digest, image.manifest.config.digest, ...image.manifest.layers.map(({ digest }) => digest));
  return image;
}

/** The configuration of one that need not be in the store, and does not come there. Throws RegistryError, ImageError. */
export async function baseConfig(text: string, options: Omit<BaseImageOptions, 'lease' | 'note'>): Promise<LoadedImage> {
  if (isLayoutReference(text)) {
    const { imageInLayout } = await import('../image/copy-layout.ts');
    return await imageInLayout(layoutImage(text, options.platform));
  }
  const stored = options.pull ? undefined : await storedImage(text, options);
  if (stored !== undefined) return stored;
  const reference = withDefaultTag(parseReference(text));
  const { remoteSource } = await import('../image/remote-source.ts');
  return await (await remoteSource(await options.context.client(reference), reference)).load(options.platform);
}

/** `oci-layout://DIR[:TAG][@DIGEST]`. */
function layoutImage(text: string, platform: Platform): LayoutImage {
  const place = text.slice(LAYOUT.length);
  const [, directory = place, tag, digest] = /^(.*?)(?::([\w][\w.-]{0,127}))?(?:@([a-z0-9]+:[a-f0-9]+))?$/.exec(place) ?? [];
  return { directory: resolve(directory), tag, digest, platform };
}

/** Undefined for one that is not there, or not for the platform. */
async function storedImage(
  reference: string,
  { store, platform }: Pick<BaseImageOptions, 'store' | 'platform'>,
): Promise<LoadedImage | undefined> {
  try {
    const { descriptor } = await findStoredImage(store.layout, reference);
    const image = await loadImage(store.layout, descriptor, platform);
    const isWhole = image.manifest.layers.every(({ digest }) => hasBlob(store.layout, digest));
    const isFitting = image.config.architecture === platform.architecture && image.config.os === platform.os;
    return isWhole && isFitting ? image : undefined;
  } catch (error) {
    if (error instanceof ImageError && ['no-image', 'platform', 'blob-unknown'].includes(error.code)) return undefined;
    throw error;
  }
}

async function pulled(text: string, { context, store, platform, note }: BaseImageOptions): Promise<LoadedImage> {
  const reference = withDefaultTag(parseReference(text));
  const { pullImage } = await import('../image/pull.ts');
  const client = await context.client(reference);
  const descriptor = await pullImage({
    store,
    client,
    reference,
    platform,
    onProgress: (event) => {
      if (event.kind === 'start') note(`layer ${event.digest}: ${event.total} bytes`);
    },
  });
  return await loadImage(store.layout, descriptor, platform);
}
