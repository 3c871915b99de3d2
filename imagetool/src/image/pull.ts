/** Pulling: a registry's image into the store. Whatever was fetched before, by whichever process, is not fetched again. */

import { MAX_CONFIG_BYTES, parseImageConfig } from '../../../specs/image/config.ts';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { MAX_MANIFEST_BYTES, type Manifest, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { isConfigType, layerType } from '../../../specs/image/media-types.ts';
import { ImageError } from '../base/errors.ts';
import { digestOf } from '../digest/digest.ts';
import { formatReference, type Reference } from '../reference/reference.ts';
import { readBlob } from '../registry/blobs.ts';
import type { RegistryClient } from '../registry/client.ts';
import { fetchManifest } from '../registry/manifests.ts';
import { ensureLayer, type LayerKind } from '../snapshot/layers.ts';
import { hasBlob, openVerified, readVerified } from '../store/blobs.ts';
import { beginIngest, storeBytes } from '../store/ingest.ts';
import { addSource } from '../store/labels.ts';
import { LEASE_MS, type Lease, takeLease } from '../store/leases.ts';
import { addImage, setImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';
import { inParallel } from './parallel.ts';
import { Pipe } from './pipe.ts';
import { choosePlatform } from './platform.ts';
import type { ProgressListener } from './progress.ts';

export interface PullOptions {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly reference: Reference;
  /** One platform of an index, or `all` of them. */
  readonly platform: Platform | 'all';
  readonly onProgress: ProgressListener;
  readonly parallel?: number;
  /** Unpacks each layer while it comes, to lie in this way: whoever starts a container of the image then need not wait for that. */
  readonly unpack?: LayerKind;
}

export const DEFAULT_PARALLEL = 8;

/** Returns the image's descriptor: that of the index, if the reference leads to one. Throws RegistryError, DigestError, ImageError, SpecError. */
export async function pullImage(options: PullOptions): Promise<Descriptor> {
  const { store, reference } = options;
  // Named by what is pulled, so that an interrupted pull finds its lease again; held by one process at a time, other ones take a lease of their own.
  const lease = await takePullLease(store, `pull-${digestOf(formatReference(reference)).slice(7, 23)}`);
  try {
    const image = await new Pull(options, lease).run();
    if (reference.tag === undefined) await addImage(store, image);
    else await setImage(store, formatReference({ domain: reference.domain, path: reference.path, tag: reference.tag }), image);
    lease.release();
    return image;
  } catch (error) {
    lease.abandon();
    throw error;
  }
}

async function takePullLease(store: Store, id: string): Promise<Lease> {
  try {
    return await takeLease(store, { id, expiresInMs: LEASE_MS });
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'lease-held') throw error;
    return await takeLease(store, { id: `${id}-${process.pid}`, expiresInMs: LEASE_MS });
  }
}

class Pull {
  readonly #options: PullOptions;
  readonly #lease: Lease;
  readonly #repository: string;

  constructor(options: PullOptions, lease: Lease) {
    this.#options = options;
    this.#lease = lease;
    this.#repository = options.reference.path;
  }

  async run(): Promise<Descriptor> {
    const { reference } = this.#options;
    const image = await this.#manifest(reference.digest ?? reference.tag ?? 'latest');
    const manifests = await this.#manifestsOf(image);
    const blobs = manifests.flatMap(({ config, layers }) => [config, ...layers]);
    const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
    const diffIds = this.#options.unpack === undefined ? new Map<Digest, Digest>() : await this.#diffIdsOf(manifests);
    await inParallel(unique, this.#options.parallel ?? DEFAULT_PARALLEL, (blob, signal) =>
      this.#fetch(blob, diffIds.get(blob.digest), signal),
    );
    return image;
  }

  /** The manifest of the image, or those of the images of an index that are wanted; they are stored on the way. */
  async #manifestsOf(descriptor: Descriptor): Promise<Manifest[]> {
    const bytes = await readVerified(this.#options.store.layout, descriptor, MAX_MANIFEST_BYTES);
    const document = parseManifestDocument(bytes, descriptor.mediaType);
    if (document.kind === 'manifest') return [document.manifest];
    const { platform } = this.#options;
    const wanted = platform === 'all' ? document.index.manifests : [choosePlatform(document.index, platform)];
    const manifests: Manifest[] = [];
    for (const one of wanted) manifests.push(...(await this.#manifestsOf(await this.#manifest(one.digest))));
    return manifests;
  }

  /** What layers unpack to, by their digests: configurations are fetched first, being small. Artifacts have none. */
  async #diffIdsOf(manifests: readonly Manifest[]): Promise<Map<Digest, Digest>> {
    const diffIds = new Map<Digest, Digest>();
    for (const { config, layers } of manifests) {
      if (!isConfigType(config.mediaType)) continue;
      await this.#fetch(config, undefined);
      const { rootfs } = parseImageConfig(await readVerified(this.#options.store.layout, config, MAX_CONFIG_BYTES));
      for (const [index, layer] of layers.entries()) {
        const diffId = rootfs.diff_ids[index];
        if (diffId !== undefined) diffIds.set(layer.digest, diffId);
      }
    }
    return diffIds;
  }

  async #manifest(reference: string): Promise<Descriptor> {
    const { descriptor, bytes } = await fetchManifest(this.#options.client, this.#repository, reference);
    await storeBytes(this.#options.store, this.#lease, descriptor, bytes);
    return descriptor;
  }

  async #fetch(blob: Descriptor, diffId: Digest | undefined, signal?: AbortSignal): Promise<void> {
    const { store, client, onProgress, reference, unpack } = this.#options;
    const options = {
      store,
      client,
      onProgress,
      repository: reference.path,
      lease: this.#lease,
      ...(signal === undefined ? {} : { signal }),
    };
    if (unpack === undefined || diffId === undefined) await fetchBlob(options, blob);
    else await fetchAndUnpack(options, blob, { diffId, kind: unpack });
    await addSource(store, blob.digest, { host: client.host, path: reference.path });
  }
}

/** Unpacks a layer from the bytes as they come, or from the store where they, or their beginning, were there before. */
async function fetchAndUnpack(options: FetchBlobOptions, blob: Descriptor, layer: { diffId: Digest; kind: LayerKind }): Promise<void> {
  const { store, signal } = options;
  const unpackFrom = (open: () => AsyncIterable<Uint8Array>) =>
    ensureLayer(store, layer.diffId, open, { kind: layer.kind, ...(signal === undefined ? {} : { signal }) });
  let unpacking: Promise<unknown> | undefined;
  const pipe = new Pipe();
  try {
    await fetchBlob(
      {
        ...options,
        beginCopy: () => {
          unpacking = unpackFrom(() => pipe).finally(() => pipe.discard());
          // Waited for below; an error of the download comes first.
          unpacking.catch(() => undefined);
          return (chunk) => pipe.write(chunk);
        },
      },
      blob,
    );
  } catch (error) {
    pipe.fail(error);
    await unpacking?.catch(() => undefined);
    throw error;
  }
  pipe.end();
  await (unpacking ?? unpackFrom(() => openVerified(store.layout, blob)));
}

export interface FetchBlobOptions {
  readonly store: Store;
  readonly lease: Lease;
  readonly client: RegistryClient;
  readonly repository: string;
  readonly onProgress: ProgressListener;
  readonly signal?: AbortSignal;
  /** Called if the blob comes from its first byte on, returns what gets a copy of each chunk. They are not checked until all have come. */
  readonly beginCopy?: () => (chunk: Uint8Array) => Promise<void>;
}

/** Brings one blob into the store, from the byte on that it lacks. */
export async function fetchBlob(options: FetchBlobOptions, blob: Descriptor): Promise<void> {
  const { store, lease, onProgress, signal } = options;
  const { digest, size: total } = blob;
  await lease.protect(digest);
  const ingest = hasBlob(store.layout, digest)
    ? undefined
    : await beginIngest(store, blob, { lease, ...(signal === undefined ? {} : { signal }) });
  if (ingest === undefined) {
    onProgress({ kind: 'done', digest, outcome: 'exists' });
    return;
  }
  onProgress({ kind: 'start', digest, total, kept: ingest.offset });
  const copy = ingest.offset === 0 ? options.beginCopy?.() : undefined;
  try {
    for await (const chunk of blobSource(options, blob, ingest.offset)) {
      ingest.write(chunk);
      await copy?.(chunk);
      onProgress({ kind: 'bytes', digest, done: ingest.offset, total });
    }
  } catch (error) {
    ingest.suspend();
    throw error;
  }
  await ingest.commit();
  onProgress({ kind: 'done', digest, outcome: 'downloaded' });
}

/** Small blobs may come with their descriptor; foreign layers come from elsewhere. */
function blobSource(options: FetchBlobOptions, blob: Descriptor, offset: number): AsyncIterable<Uint8Array> {
  if (blob.data !== undefined) return once(Buffer.from(blob.data, 'base64').subarray(offset));
  if (layerType(blob.mediaType)?.foreign === true && (blob.urls?.length ?? 0) > 0) {
    throw new ImageError(
      'unsupported',
      `layer ${blob.digest} of ${options.repository} is kept elsewhere (${blob.urls?.[0]}), and cannot be fetched`,
    );
  }
  return readBlob(options.client, options.repository, blob, {
    offset,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
