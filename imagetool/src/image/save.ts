/**
 * Images as one tar archive that both `docker load` and every reader of OCI layouts understand: an OCI layout, with docker's manifest.json beside
 * its index.json. The same images make the same bytes.
 */

import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import type { TarEntry } from '../archive/tar-entry.ts';
import { END_OF_ARCHIVE, encodeHeader, paddingFor } from '../archive/tar-writer.ts';
import { algorithmOf, encodedOf } from '../digest/digest.ts';
import { familiarReference, InvalidReferenceError, parseReference } from '../reference/reference.ts';
import { hasBlob, openVerified } from '../store/blobs.ts';
import type { StoredImage } from '../store/entries.ts';
import type { Layout } from '../store/layout.ts';
import { reachableFrom } from '../store/reachable.ts';
import { loadImage } from './load.ts';

interface DockerImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/** The archive's bytes. `platform` decides which image of an index docker's list speaks of. Throws ImageError, DigestError. */
export async function* saveImages(
  layout: Layout,
  images: readonly StoredImage[],
  platform: Platform,
): AsyncGenerator<Uint8Array, void, void> {
  const { descriptors } = await reachableFrom(
    layout,
    images.map((image) => image.descriptor),
  );
  const present = [...descriptors.values()].filter((one) => hasBlob(layout, one.digest)).sort((a, b) => (a.digest < b.digest ? -1 : 1));
  yield* directory('blobs/');
  for (const algorithm of [...new Set(present.map((one) => algorithmOf(one.digest)))].sort()) yield* directory(`blobs/${algorithm}/`);
  for (const descriptor of present) {
    yield encodeHeader(entry(blobName(descriptor.digest), descriptor.size));
    yield* openVerified(layout, descriptor);
    yield paddingFor(descriptor.size);
  }
  yield* file('index.json', { schemaVersion: 2, mediaType: OCI.index, manifests: images.map(indexEntry) });
  yield* file('manifest.json', await dockerList(layout, images, platform));
  yield* file('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield END_OF_ARCHIVE;
}

/** Names as docker writes them: the tag as the layout's reference, the full name for containerd. */
function indexEntry({ name, descriptor }: StoredImage): Descriptor {
  if (name === undefined) return descriptor;
  const tag = parsedTag(name) ?? name;
  return { ...descriptor, annotations: { ...descriptor.annotations, [ANNOTATION.containerdImageName]: name, [ANNOTATION.refName]: tag } };
}

async function dockerList(layout: Layout, images: readonly StoredImage[], platform: Platform): Promise<DockerImage[]> {
  const byConfig = new Map<Digest, { names: string[]; layers: string[] }>();
  for (const { name, descriptor } of images) {
    const { manifest } = await loadImage(layout, descriptor, platform);
    const known = byConfig.get(manifest.config.digest) ?? { names: [], layers: manifest.layers.map((layer) => blobName(layer.digest)) };
    if (name !== undefined && parsedTag(name) !== undefined) known.names.push(familiarReference(parseReference(name)));
    byConfig.set(manifest.config.digest, known);
  }
  return [...byConfig].map(([digest, { names, layers }]) => ({ Config: blobName(digest), RepoTags: names, Layers: layers }));
}

function parsedTag(name: string): string | undefined {
  try {
    return parseReference(name).tag;
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}

function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

function* file(path: string, value: object): Generator<Buffer, void, void> {
  const bytes = Buffer.from(JSON.stringify(value));
  yield encodeHeader(entry(path, bytes.length));
  yield bytes;
  yield paddingFor(bytes.length);
}

function* directory(path: string): Generator<Buffer, void, void> {
  yield encodeHeader({ ...entry(path, 0), type: 'directory', mode: 0o755 });
}

function entry(path: string, size: number): TarEntry {
  return {
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    userName: '',
    groupName: '',
    size,
    mtime: { seconds: 0, nanoseconds: 0 },
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  };
}
