/** Images at a registry, read without pulling them. */

import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { isIndexType, isManifestType } from '../../../specs/image/media-types.ts';
import { ImageError } from '../base/errors.ts';
import { verifyBytes, verifyStream } from '../digest/verify.ts';
import { formatReference, type Reference } from '../reference/reference.ts';
import { readBlob } from '../registry/blobs.ts';
import type { RegistryClient } from '../registry/client.ts';
import { fetchManifest } from '../registry/manifests.ts';
import { loadImageFrom, type ReadDocument } from './load.ts';
import type { ImageSource } from './source.ts';

/** Throws RegistryError where there is no such image. */
export async function remoteSource(client: RegistryClient, reference: Reference): Promise<ImageSource> {
  const { path } = reference;
  const top = await fetchManifest(client, path, reference.digest ?? reference.tag ?? 'latest');
  const open = (blob: Descriptor) => verifyStream(readBlob(client, path, blob), blob);
  const read: ReadDocument = async (descriptor, limitBytes) => {
    if (descriptor.digest === top.descriptor.digest) return top.bytes;
    if (isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)) {
      const { bytes } = await fetchManifest(client, path, descriptor.digest);
      verifyBytes(bytes, descriptor);
      return bytes;
    }
    if (descriptor.size > limitBytes) throw new ImageError('unsupported', `${descriptor.digest} is longer than ${limitBytes} bytes`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of open(descriptor)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return {
    name: formatReference(reference),
    descriptor: top.descriptor,
    raw: async () => top.bytes,
    load: (platform) => loadImageFrom(read, top.descriptor, platform),
    open,
  };
}
