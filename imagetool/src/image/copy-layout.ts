/** Images out of another OCI layout on this machine, into the store. */

import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { Platform } from '../../../specs/image/descriptor.ts';
import { ImageError } from '../base/errors.ts';
import { formatReference, InvalidReferenceError, parseReference, withDefaultTag } from '../reference/reference.ts';
import { hasBlob, openVerified } from '../store/blobs.ts';
import type { StoredImage } from '../store/entries.ts';
import { beginIngest } from '../store/ingest.ts';
import { type Layout, layoutAt } from '../store/layout.ts';
import type { Lease } from '../store/leases.ts';
import { hasLayout } from '../store/make-layout.ts';
import { reachableFrom } from '../store/reachable.ts';
import { addImage, listImages, setImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';
import { type LoadedImage, loadImage } from './load.ts';

/** Takes in all images of the layout at `directory`. Names that are no references (a bare tag) are not taken over. */
export async function loadLayout(store: Store, lease: Lease, directory: string): Promise<StoredImage[]> {
  const from = layoutAt(directory);
  if (!hasLayout(from)) throw new ImageError('layout', `${directory} is no OCI image layout`);
  const images = listImages(from).map(renamed);
  const { descriptors } = await reachableFrom(
    from,
    images.map((image) => image.descriptor),
  );
  for (const descriptor of descriptors.values()) if (hasBlob(from, descriptor.digest)) await copyBlob(from, store, lease, descriptor);
  for (const { name, descriptor } of images) await (name === undefined ? addImage(store, descriptor) : setImage(store, name, descriptor));
  return images;
}

export interface LayoutImage {
  readonly directory: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  readonly platform: Platform;
}

/** Takes in one image, without a name. Throws as `imageInLayout`. */
export async function copyFromLayout(store: Store, lease: Lease, which: LayoutImage): Promise<LoadedImage> {
  const from = layoutAt(which.directory);
  const image = await imageInLayout(which);
  for (const blob of [image.descriptor, image.manifest.config, ...image.manifest.layers]) await copyBlob(from, store, lease, blob);
  return image;
}

/** Without tag and digest the one called latest, or the only one. Throws ImageError `layout`, `no-image`, `platform`. */
export async function imageInLayout({ directory, tag, digest, platform }: LayoutImage): Promise<LoadedImage> {
  const from = layoutAt(directory);
  if (!hasLayout(from)) throw new ImageError('layout', `${directory} is no OCI image layout`);
  const images = listImages(from);
  const only = tag === undefined && images.length === 1 ? images[0] : undefined;
  const found =
    digest === undefined
      ? (images.find(({ name }) => isCalled(name, tag ?? 'latest')) ?? only)
      : images.find(({ descriptor }) => descriptor.digest === digest);
  if (found === undefined) {
    const offered = images.map(({ name, descriptor }) => name ?? descriptor.digest).join(', ') || 'none';
    throw new ImageError('no-image', `the layout ${directory} has no image ${digest ?? tag ?? 'latest'}`, {
      hint: `There are: ${offered}.`,
    });
  }
  return await loadImage(from, found.descriptor, platform);
}

/** Layouts name their images by a tag alone, or in full. */
function isCalled(name: string | undefined, tag: string): boolean {
  return name === tag || name?.endsWith(`:${tag}`) === true;
}

async function copyBlob(from: Layout, store: Store, lease: Lease, descriptor: Parameters<typeof beginIngest>[1]): Promise<void> {
  const ingest = await beginIngest(store, descriptor, { lease });
  if (ingest === undefined) return;
  ingest.restart();
  try {
    for await (const chunk of openVerified(from, descriptor)) ingest.write(chunk);
  } catch (error) {
    ingest.discard();
    throw error;
  }
  await ingest.commit();
}

function renamed({ name, descriptor }: StoredImage): StoredImage {
  const { [ANNOTATION.refName]: _ref, [ANNOTATION.containerdImageName]: _name, ...others } = descriptor.annotations ?? {};
  const { annotations: _, ...rest } = descriptor;
  const plain = Object.keys(others).length === 0 ? rest : { ...rest, annotations: others };
  const full = name?.includes('/') === true ? fullName(name) : undefined;
  return full === undefined ? { descriptor: plain } : { name: full, descriptor: plain };
}

function fullName(name: string): string | undefined {
  try {
    return formatReference(withDefaultTag(parseReference(name)));
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}
