/**
 * From registry to registry. What the target has, or can mount, is not fetched; the rest goes through the store, so that a copy that was cut goes on
 * on both sides. Nothing of it stays in the store but what gc has not come to yet.
 */

import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { parseManifestDocument } from '../../../specs/image/manifest.ts';
import { digestOf } from '../digest/digest.ts';
import { formatReference, type Reference } from '../reference/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { type FetchedManifest, fetchManifest } from '../registry/manifests.ts';
import { pushWithSubject } from '../registry/referrers.ts';
import { uploadBlob } from '../registry/upload.ts';
import { openLent } from '../store/blobs.ts';
import { LEASE_MS, type Lease, takeLease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { inParallel } from './parallel.ts';
import { choosePlatform } from './platform.ts';
import type { ProgressListener } from './progress.ts';
import { DEFAULT_PARALLEL, fetchBlob } from './pull.ts';

export interface CopyOptions {
  readonly store: Store;
  readonly source: { readonly client: RegistryClient; readonly reference: Reference };
  readonly target: { readonly client: RegistryClient; readonly reference: Reference };
  readonly platform: Platform | 'all';
  readonly onProgress: ProgressListener;
  readonly parallel?: number;
}

/** Returns what the target's tag now stands for: the index, or the one image that was asked for. */
export async function copyImage(options: CopyOptions): Promise<Descriptor> {
  const { source, target } = options;
  const names = `${formatReference(source.reference)} ${formatReference(target.reference)}`;
  const lease = await takeLease(options.store, { id: `copy-${digestOf(names).slice(7, 23)}`, expiresInMs: LEASE_MS });
  try {
    const manifests = await collect(options, source.reference.digest ?? source.reference.tag ?? 'latest');
    const blobs = new Map(manifests.flatMap(blobsOf).map((blob) => [blob.digest, blob]));
    await inParallel(blobs.values(), options.parallel ?? DEFAULT_PARALLEL, (blob, signal) => copyBlob(options, lease, blob, signal));
    for (const manifest of manifests.slice(0, -1))
      await pushWithSubject(target.client, target.reference.path, manifest.descriptor.digest, manifest);
    const top = manifests.at(-1);
    if (top === undefined) throw new Error('a copy found no manifest');
    await pushWithSubject(target.client, target.reference.path, target.reference.tag ?? top.descriptor.digest, top);
    lease.release();
    return top.descriptor;
  } catch (error) {
    lease.abandon();
    throw error;
  }
}

/** Children before what names them; the wanted one last. */
async function collect(options: CopyOptions, reference: string): Promise<FetchedManifest[]> {
  const { client, reference: from } = options.source;
  const manifest = await fetchManifest(client, from.path, reference);
  const document = parseManifestDocument(manifest.bytes, manifest.descriptor.mediaType);
  if (document.kind === 'manifest') return [manifest];
  if (options.platform !== 'all') return await collect(options, choosePlatform(document.index, options.platform).digest);
  const children: FetchedManifest[] = [];
  for (const child of document.index.manifests) children.push(...(await collect(options, child.digest)));
  return [...children, manifest];
}

function blobsOf({ bytes, descriptor }: FetchedManifest): Descriptor[] {
  const document = parseManifestDocument(bytes, descriptor.mediaType);
  return document.kind === 'manifest' ? [document.manifest.config, ...document.manifest.layers] : [];
}

async function copyBlob(options: CopyOptions, lease: Lease, blob: Descriptor, signal: AbortSignal): Promise<void> {
  const { store, source, target, onProgress } = options;
  const { digest, size: total } = blob;
  const isSameRegistry = source.client.host === target.client.host;
  const outcome = await uploadBlob(target.client, target.reference.path, blob, {
    mountFrom: isSameRegistry && source.reference.path !== target.reference.path ? [source.reference.path] : [],
    open: async function* open(offset) {
      await fetchBlob({ store, lease, client: source.client, repository: source.reference.path, onProgress, signal }, blob);
      yield* openLent(store.layout, blob, offset);
    },
    onProgress: (done) => onProgress({ kind: 'bytes', digest, done, total }),
  });
  onProgress({ kind: 'done', digest, outcome: outcome.kind });
}
