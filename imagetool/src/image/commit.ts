/** A new image from an old one and changes to its tree: one more layer, one more line of history. */

import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { ContainerConfig, History, ImageConfig } from '../../../specs/image/config.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import type { Manifest } from '../../../specs/image/manifest.ts';
import { DOCKER, type LayerCompression, OCI } from '../../../specs/image/media-types.ts';
import { Digester, digestOf } from '../digest/digest.ts';
import { storeBytes } from '../store/ingest.ts';
import { LABEL, writeLabels } from '../store/labels.ts';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { BlobWriter } from '../store/writer.ts';
import type { LoadedImage } from './load.ts';

export interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface CommitOptions {
  /** RFC 3339; SOURCE_DATE_EPOCH decides in reproducible builds. */
  readonly created: string;
  readonly createdBy: string;
  readonly author?: string;
  readonly comment?: string;
  /** Changes the configuration. */
  readonly edit?: (config: ContainerConfig) => ContainerConfig;
}

/** Stores an uncompressed archive as a layer. */
export async function storeLayer(
  store: Store,
  lease: Lease,
  archive: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
): Promise<NewLayer> {
  const digester = new Digester();
  const writer = new BlobWriter(store);
  try {
    const { compress } = await import('../archive/compression.ts');
    for await (const chunk of compress(hashed(archive, digester), { compression })) await writer.write(chunk);
  } catch (error) {
    writer.discard();
    throw error;
  }
  const written = await writer.commit(lease);
  const diffId = digester.digest();
  await writeLabels(store, written.digest, { [LABEL.diffId]: diffId });
  return { descriptor: { mediaType: OCI_LAYER[compression], ...written }, diffId };
}

/** Stores the image made of `base` and a layer; without a layer only the configuration changes. Returns its manifest's descriptor. */
export async function commitImage(
  store: Store,
  lease: Lease,
  base: LoadedImage,
  layer: NewLayer | undefined,
  options: CommitOptions,
): Promise<Descriptor> {
  const config = await storeJson(store, lease, base.manifest.config.mediaType, nextConfig(base.config, layer, options));
  const manifest = nextManifest(base.manifest, config, layer);
  return await storeJson(store, lease, manifest.mediaType ?? OCI.manifest, manifest);
}

/** Stores a document; its fields are in the order in which they were made. */
export async function storeJson(store: Store, lease: Lease, mediaType: string, value: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const expected = { digest: digestOf(bytes), size: bytes.length };
  await storeBytes(store, lease, expected, bytes);
  return { mediaType, ...expected };
}

const OCI_LAYER: Readonly<Record<LayerCompression, string>> = { none: OCI.layer, gzip: OCI.layerGzip, zstd: OCI.layerZstd };
const DOCKER_LAYER: ReadonlyMap<string, string> = new Map([
  [OCI.layer, DOCKER.layer],
  [OCI.layerGzip, DOCKER.layerGzip],
  [OCI.layerZstd, DOCKER.layerZstd],
]);

function nextConfig(base: ImageConfig, layer: NewLayer | undefined, options: CommitOptions): ImageConfig {
  const entry: History = {
    created: options.created,
    created_by: options.createdBy,
    ...(options.author === undefined ? {} : { author: options.author }),
    ...(options.comment === undefined ? {} : { comment: options.comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  // What docker recorded of the container that made the base says nothing about this image.
  const { container: _container, container_config: _containerConfig, ...rest } = base;
  return {
    ...rest,
    created: options.created,
    ...(options.author === undefined ? {} : { author: options.author }),
    ...(options.edit === undefined ? {} : { config: options.edit(base.config ?? {}) }),
    rootfs: { ...base.rootfs, diff_ids: [...base.rootfs.diff_ids, ...(layer === undefined ? [] : [layer.diffId])] },
    history: [...(base.history ?? []), entry],
  };
}

/** The base's kind of manifest is kept: docker's media types and OCI's do not mix in one. */
function nextManifest(base: Manifest, config: Descriptor, layer: NewLayer | undefined): Manifest {
  const isDocker = base.mediaType === DOCKER.manifest;
  const added = layer === undefined ? [] : [isDocker ? inDockerTypes(layer.descriptor) : layer.descriptor];
  // The base's annotations, and what it was said to be about, are not this image's; where it came from is worth keeping.
  return {
    schemaVersion: 2,
    mediaType: base.mediaType ?? OCI.manifest,
    config,
    layers: [...base.layers, ...added],
    ...(isDocker || base.annotations === undefined ? {} : { annotations: keptAnnotations(base.annotations) }),
  };
}

function keptAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => key === ANNOTATION.baseName || key === ANNOTATION.baseDigest));
}

function inDockerTypes(descriptor: Descriptor): Descriptor {
  return { ...descriptor, mediaType: DOCKER_LAYER.get(descriptor.mediaType) ?? descriptor.mediaType };
}

async function* hashed(source: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of source) {
    digester.update(chunk);
    yield chunk;
  }
}
