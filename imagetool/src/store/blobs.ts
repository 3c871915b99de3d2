/** Reading blobs. There is no way to read one without its size and digest being checked. */

import { existsSync, lstatSync, readSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Digest } from '../../../specs/image/digest.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { DigestError } from '../digest/digest.ts';
import { type Expected, verifyStream } from '../digest/verify.ts';
import { blobPath } from './blob-paths.ts';
import type { Layout } from './layout.ts';

/** Large enough that the cost of a read is nothing beside hashing it, small enough to stay in the processor's cache. */
const CHUNK_BYTES = 256 * 1024;
/** Small enough that a chunk which has been read is hashed and sent out of the processor's cache, with several blobs under way. */
const LENT_BYTES = 128 * 1024;
/** For documents read as a whole: manifests, indexes, configs. */
const DEFAULT_LIMIT_BYTES = 8 * 1024 * 1024;

export function hasBlob(layout: Layout, digest: Digest): boolean {
  return existsSync(blobPath(layout, digest));
}

/** Bytes of a stored blob, or undefined if it is not there. The content is not looked at. */
export function blobSize(layout: Layout, digest: Digest): number | undefined {
  return lstatSync(blobPath(layout, digest), { throwIfNoEntry: false })?.size;
}

/**
 * The content of a blob as a stream that ends in DigestError if it is not the descriptor's content; see verifyStream.
 * Throws ImageError `blob-unknown` if the blob is not there.
 */
export async function* openVerified(layout: Layout, descriptor: Expected): AsyncGenerator<Uint8Array, void, void> {
  yield* verifyStream(readChunks(layout, descriptor.digest), descriptor);
}

/** The whole content of a small blob, checked. Refuses, before reading, one that is larger than `limitBytes`. */
export async function readVerified(layout: Layout, descriptor: Expected, limitBytes = DEFAULT_LIMIT_BYTES): Promise<Buffer> {
  if (descriptor.size > limitBytes) {
    throw new DigestError(`blob ${descriptor.digest} is ${descriptor.size} bytes long; a document of this kind may have ${limitBytes}`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of openVerified(layout, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** For gc, and for a reader that found a blob damaged: a later pull fetches it again. */
export function removeBlob(layout: Layout, digest: Digest): void {
  rmSync(blobPath(layout, digest), { force: true });
}

async function* readChunks(layout: Layout, digest: Digest): AsyncGenerator<Uint8Array, void, void> {
  const file = await openBlob(layout, digest);
  try {
    for (let at = 0; ; ) {
      // New memory: consumers may keep chunks, or hand them to other threads.
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function openBlob(layout: Layout, digest: Digest): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(blobPath(layout, digest), 'r');
  } catch (error) {
    if (!isNodeError(error, 'ENOENT')) throw error;
    throw new ImageError('blob-unknown', `blob ${digest} is not in the store`, { cause: error });
  }
}

/** Memory that lent chunks have used, for the next ones: touching new memory costs more than reading a file into it. */
const lentBuffers: Buffer[] = [];

function lentBuffer(): Buffer {
  return lentBuffers.pop() ?? Buffer.allocUnsafeSlow(LENT_BYTES);
}

/**
 * The content of a blob from an offset on, for a peer that checks the whole itself, as registries do. From the beginning it is checked here as well.
 * A chunk is good until the next but one is asked for.
 */
export async function* openLent(layout: Layout, descriptor: Expected, offset: number): AsyncGenerator<Uint8Array, void, void> {
  const chunks = lendChunks(layout, descriptor.digest, offset);
  if (offset === 0) yield* verifyStream(chunks, descriptor);
  else yield* chunks;
}

/** Read at once: a thread that reads a chunk from the page cache takes less time for it than for being told to. */
async function* lendChunks(layout: Layout, digest: Digest, offset: number): AsyncGenerator<Uint8Array, void, void> {
  const file = await openBlob(layout, digest);
  // The chunk that is lent, and the one before it.
  let [given, free] = [lentBuffer(), lentBuffer()];
  try {
    for (let at = offset; ; ) {
      const bytesRead = readSync(file.fd, free, 0, LENT_BYTES, at);
      if (bytesRead === 0) {
        // Only this one, and only here, where the consumer has asked once more: it may still have the last chunk.
        lentBuffers.push(free);
        return;
      }
      at += bytesRead;
      [given, free] = [free, given];
      yield given.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
