/** Which images the store has: reading and changing index.json. */

import { readFileSync } from 'node:fs';
import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { type Index, parseIndex } from '../../../specs/image/manifest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { entriesOf, entryOf, nameOf, type StoredImage } from './entries.ts';
import { replaceFile } from './files.ts';
import type { Layout } from './layout.ts';
import { withLock } from './lock.ts';
import type { Store } from './store.ts';

/** All entries, in the order they were made. Needs no lock: index.json is only ever replaced as a whole. */
export function listImages(layout: Layout): StoredImage[] {
  return entriesOf(readIndex(layout));
}

export function findImage(layout: Layout, name: string): Descriptor | undefined {
  return readIndex(layout).manifests.find((descriptor) => nameOf(descriptor) === name);
}

/** Gives an image a name. The image that had it before keeps an entry without a name, unless it has other names. */
export async function setImage(store: Store, name: string, image: Descriptor): Promise<void> {
  await changeIndex(store, (manifests) => {
    const old = manifests.find((one) => nameOf(one) === name);
    const rest = manifests.filter((one) => nameOf(one) !== name && !(one.digest === image.digest && nameOf(one) === undefined));
    const isLost = old !== undefined && old.digest !== image.digest && !rest.some((one) => one.digest === old.digest);
    return [...rest, ...(isLost ? [withoutName(old)] : []), withName(image, name)];
  });
}

/** Adds an image without a name. */
export async function addImage(store: Store, image: Descriptor): Promise<void> {
  await changeIndex(store, (manifests) =>
    manifests.some((one) => one.digest === image.digest) ? manifests : [...manifests, withoutName(image)],
  );
}

/** Takes a name away; the image's content goes with the next gc if nothing else needs it. Returns what the name stood for. */
export async function removeName(store: Store, name: string): Promise<Descriptor | undefined> {
  let removed: Descriptor | undefined;
  await changeIndex(store, (manifests) => {
    removed = manifests.find((one) => nameOf(one) === name);
    return manifests.filter((one) => one !== removed);
  });
  return removed;
}

/** Takes away all entries of an image. Returns them. */
export async function removeImage(store: Store, digest: Digest): Promise<StoredImage[]> {
  const removed: StoredImage[] = [];
  await changeIndex(store, (manifests) =>
    manifests.filter((descriptor) => {
      if (descriptor.digest !== digest) return true;
      removed.push(entryOf(descriptor));
      return false;
    }),
  );
  return removed;
}

function readIndex(layout: Layout): Index {
  return parseIndex(readFileSync(layout.index), OCI.index);
}

/** Read, change, replace, under the exclusive lock. Fields of the index that we do not know stay. */
async function changeIndex(store: Store, change: (manifests: Descriptor[]) => Descriptor[]): Promise<void> {
  await withLock(store.sys, store.layout.lock, 'exclusive', () => {
    const index = readIndex(store.layout);
    const manifests = change(index.manifests);
    replaceFile(store.layout.index, `${JSON.stringify({ ...index, manifests })}\n`);
  });
}

function withName(descriptor: Descriptor, name: string): Descriptor {
  return {
    ...descriptor,
    annotations: { ...descriptor.annotations, [ANNOTATION.refName]: name, [ANNOTATION.containerdImageName]: name },
  };
}

function withoutName(descriptor: Descriptor): Descriptor {
  const { annotations, ...rest } = descriptor;
  const { [ANNOTATION.refName]: _ref, [ANNOTATION.containerdImageName]: _name, ...others } = annotations ?? {};
  return Object.keys(others).length === 0 ? rest : { ...rest, annotations: others };
}
