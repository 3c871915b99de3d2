/** Pushing: an image of the store into a registry. What is there, or in another repository of the same registry, is not sent. */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { MAX_MANIFEST_BYTES, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { ImageError } from '../base/errors.ts';
import type { Reference } from '../reference/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { pushWithSubject } from '../registry/referrers.ts';
import { type UploadSession, uploadBlob } from '../registry/upload.ts';
import { hasBlob, openLent, readVerified } from '../store/blobs.ts';
import { addSource, readLabels, sourcesOf, writeLabels } from '../store/labels.ts';
import type { Store } from '../store/store.ts';
import { inParallel } from './parallel.ts';
import type { ProgressListener } from './progress.ts';
import { DEFAULT_PARALLEL } from './pull.ts';

export interface PushOptions {
  readonly store: Store;
  readonly client: RegistryClient;
  /** Where to: repository and tag. */
  readonly reference: Reference;
  readonly image: Descriptor;
  readonly onProgress: ProgressListener;
  readonly parallel?: number;
}

interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** Throws RegistryError, DigestError, and ImageError `incomplete` for an image of which only a part is in the store. */
export async function pushImage(options: PushOptions): Promise<Descriptor> {
  const { client, reference, image } = options;
  const { documents, blobs } = await collect(options.store, image);
  await inParallel(blobs, options.parallel ?? DEFAULT_PARALLEL, (blob) => pushBlob(options, blob));
  // Children first: a registry refuses what names something it does not have.
  for (const { descriptor, bytes } of documents.slice(0, -1))
    await pushWithSubject(client, reference.path, descriptor.digest, { descriptor, bytes });
  const last = documents.at(-1);
  if (last !== undefined) await pushWithSubject(client, reference.path, reference.tag ?? image.digest, last);
  return image;
}

async function collect(store: Store, image: Descriptor): Promise<{ documents: Document[]; blobs: Descriptor[] }> {
  const documents: Document[] = [];
  const blobs = new Map<Digest, Descriptor>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (!hasBlob(store.layout, descriptor.digest)) {
      throw new ImageError('incomplete', `${descriptor.digest} of the image is not in the store`, {
        hint: 'Pull the image with --all first.',
      });
    }
    const bytes = await readVerified(store.layout, descriptor, MAX_MANIFEST_BYTES);
    const document = parseManifestDocument(bytes, descriptor.mediaType);
    if (document.kind === 'index') for (const child of document.index.manifests) await visit(child);
    else for (const blob of [document.manifest.config, ...document.manifest.layers]) blobs.set(blob.digest, blob);
    documents.push({ descriptor, bytes });
  };
  await visit(image);
  return { documents, blobs: [...blobs.values()] };
}

async function pushBlob(options: PushOptions, blob: Descriptor): Promise<void> {
  const { store, client, reference, onProgress } = options;
  const { digest, size: total } = blob;
  onProgress({ kind: 'start', digest, total, kept: 0 });
  const outcome = await uploadBlob(client, reference.path, blob, {
    open: (offset) => openLent(store.layout, blob, offset),
    mountFrom: sourcesOf(store.layout, digest, client.host).filter((path) => path !== reference.path),
    session: uploadSession(store, digest, `upload.${client.host}/${reference.path}`),
    onProgress: (done) => onProgress({ kind: 'bytes', digest, done, total }),
  });
  onProgress({ kind: 'done', digest, outcome: outcome.kind });
  await addSource(store, digest, { host: client.host, path: reference.path });
}

/** Kept in the blob's labels: a push that was killed goes on where the registry's session stands. */
function uploadSession(store: Store, digest: Digest, key: string): UploadSession {
  let pending: Promise<void> = Promise.resolve();
  return {
    load: () => {
      const location = readLabels(store.layout, digest)[key];
      return location === undefined || location === '' ? undefined : location;
    },
    save: (location) => {
      pending = pending.then(() => writeLabels(store, digest, { [key]: location ?? '' })).catch(() => undefined);
    },
  };
}
