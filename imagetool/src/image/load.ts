/** Reading an image out of the store: from a descriptor to its manifest and configuration. */

import { type ImageConfig, MAX_CONFIG_BYTES, parseImageConfig } from '../../../specs/image/config.ts';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { MAX_MANIFEST_BYTES, type Manifest, parseManifestDocument } from '../../../specs/image/manifest.ts';
import { isConfigType } from '../../../specs/image/media-types.ts';
import { ImageError } from '../base/errors.ts';
import { readVerified } from '../store/blobs.ts';
import type { Layout } from '../store/layout.ts';
import { choosePlatform } from './platform.ts';

export interface LoadedImage {
  /** Of the manifest, even where the image is an index. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** The whole content of a document, checked; refuses one that is longer than the limit. */
export type ReadDocument = (descriptor: Descriptor, limitBytes: number) => Promise<Buffer>;

/** Throws ImageError, DigestError, SpecError. */
export async function loadImage(layout: Layout, image: Descriptor, platform: Platform): Promise<LoadedImage> {
  return await loadImageFrom((descriptor, limitBytes) => readVerified(layout, descriptor, limitBytes), image, platform);
}

/** As loadImage, of documents that are elsewhere. */
export async function loadImageFrom(read: ReadDocument, image: Descriptor, platform: Platform): Promise<LoadedImage> {
  const document = parseManifestDocument(await read(image, MAX_MANIFEST_BYTES), image.mediaType);
  if (document.kind === 'index') return await loadImageFrom(read, choosePlatform(document.index, platform), platform);
  const { manifest } = document;
  if (!isConfigType(manifest.config.mediaType)) {
    throw new ImageError(
      'unsupported',
      `${image.digest} is no container image, but an artifact (${manifest.artifactType ?? manifest.config.mediaType})`,
    );
  }
  const config = parseImageConfig(await read(manifest.config, MAX_CONFIG_BYTES));
  const [layers, diffIds] = [manifest.layers.length, config.rootfs.diff_ids.length];
  if (layers !== diffIds)
    throw new ImageError('unsupported', `${image.digest} has ${layers} layers, and its configuration speaks of ${diffIds}`);
  return { descriptor: image, manifest, config };
}
