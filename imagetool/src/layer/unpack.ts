/** From a layer's blob to files: inflate, hash, parse and write in one pass, chunk by chunk; nothing is kept in memory. */

import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { decompress } from '../archive/compression.ts';
import { type TarLimits, TarReader } from '../archive/tar-reader.ts';
import { algorithmOf, DigestError, Digester } from '../digest/digest.ts';
import { type ApplyOptions, type ApplyResult, LayerApplier } from './apply.ts';

export interface UnpackOptions extends ApplyOptions {
  /** The digest of the uncompressed archive that the image's configuration promises. */
  readonly diffId?: Digest;
  readonly limits?: Partial<TarLimits>;
  /** Of the uncompressed archive. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface UnpackResult extends ApplyResult {
  readonly diffId: Digest;
  /** Of the uncompressed archive, in bytes. */
  readonly sizeBytes: number;
}

/**
 * Applies a layer to the tree at `rootPath`. The blob's own digest is the source's affair (`openVerified`); the diff id is checked here.
 * Whatever is thrown, the tree is then half done: the caller throws it away.
 */
export async function unpackLayer(
  sys: Sys,
  source: AsyncIterable<Uint8Array>,
  rootPath: string,
  options: UnpackOptions,
): Promise<UnpackResult> {
  const digester = new Digester(options.diffId === undefined ? 'sha256' : algorithmOf(options.diffId));
  const reader = new TarReader(options.limits);
  const applier = new LayerApplier(sys, rootPath, options);
  try {
    for await (const chunk of decompress(source, options.maxBytes)) {
      options.signal?.throwIfAborted();
      digester.update(chunk);
      for (const event of reader.push(chunk)) applier.apply(event);
    }
    for (const event of reader.finish()) applier.apply(event);
    const result = applier.finish();
    const sizeBytes = digester.bytes;
    const diffId = digester.digest();
    if (options.diffId !== undefined && diffId !== options.diffId) {
      throw new DigestError(`a layer should unpack to ${options.diffId}, but is ${diffId}: image and configuration do not belong together`);
    }
    return { ...result, diffId, sizeBytes };
  } finally {
    applier.close();
  }
}
