/**
 * Compression of layers: none, gzip, zstd. What a blob is, its first bytes say; media types in the wild do not always agree with them.
 */

import { PassThrough, type Transform } from 'node:stream';
import { constants, createGunzip, createGzip } from 'node:zlib';
import type { LayerCompression } from '../../../specs/image/media-types.ts';
import { ImageError } from '../base/errors.ts';
import { createZstdCompressor, createZstdDecompressor } from './zstd.ts';

/** Output chunks: large, since each costs a trip through the event loop. */
const CHUNK_BYTES = 256 * 1024;
/** Enough of a blob's beginning for detectCompression. */
export const MAGIC_BYTES = 4;

/** Tells the compression by the magic number: RFC 1952 gzip, RFC 8878 zstd (and its skippable frames, with which zstd:chunked may begin). */
export function detectCompression(head: Uint8Array): LayerCompression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd';
  return 'none';
}

/** A stream that inflates. Its errors are those of zlib; see `decompress`. */
export function createDecompressor(compression: LayerCompression): Transform {
  if (compression === 'gzip') return createGunzip({ chunkSize: CHUNK_BYTES });
  if (compression === 'zstd') return createZstdDecompressor();
  return new PassThrough();
}

export interface CompressOptions {
  readonly compression: LayerCompression;
  /** gzip 1 to 9, zstd 1 to 19; each has its own default. */
  readonly level?: number;
}

/**
 * A stream that compresses: the same bytes for the same input and the same zlib. Node's gzip writes time 0 and no name; the byte that names the
 * operating system, which differs between builds, is set to "unknown".
 */
export async function* compress(source: AsyncIterable<Uint8Array>, options: CompressOptions): AsyncGenerator<Uint8Array, void, void> {
  if (options.compression === 'none') yield* source;
  else if (options.compression === 'zstd') yield* through(source, createZstdCompressor(options.level ?? 3), 'zstd');
  else
    yield* withUnknownSystem(
      through(source, createGzip({ level: options.level ?? constants.Z_DEFAULT_COMPRESSION, chunkSize: CHUNK_BYTES }), 'gzip'),
    );
}

/** Inflates by what the first bytes say. Throws ImageError `compression` for damaged data, and when more than `maxBytes` come out. */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, void> {
  const { head, rest } = await peek(source);
  const compression = detectCompression(head);
  const inflated = compression === 'none' ? rest : through(rest, createDecompressor(compression), compression);
  let total = 0;
  for await (const chunk of inflated) {
    total += chunk.length;
    if (total > maxBytes) throw new ImageError('compression', `a layer has more than the ${maxBytes} bytes allowed when uncompressed`);
    yield chunk;
  }
}

/** The first bytes of a stream, fewer only where it is shorter, and the stream with them still in it. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  bytes = MAGIC_BYTES,
): Promise<{ head: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < bytes) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    chunks.push(value);
    length += value.length;
  }
  return { head: Buffer.concat(chunks).subarray(0, bytes), rest: chain(chunks, iterator) };
}

async function* chain(chunks: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/**
 * Pushes a stream through a transform. An error of the source arrives as itself, one of the transform as ImageError `compression`.
 * If the consumer stops, the source is stopped as well.
 */
async function* through(source: AsyncIterable<Uint8Array>, transform: Transform, name: string): AsyncGenerator<Uint8Array, void, void> {
  let sourceError: { readonly error: unknown } | undefined;
  const fed = feed(source, transform).catch((error: unknown) => {
    sourceError = { error };
    transform.destroy(new Error('the source failed'));
  });
  try {
    yield* transform as AsyncIterable<Uint8Array>;
    await fed;
  } catch (cause) {
    if (sourceError !== undefined) throw sourceError.error;
    throw new ImageError('compression', `${name} data is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    transform.destroy();
    await fed;
  }
}

/** Ends early, without an error, when the transform has been destroyed: whoever did it knows why. */
async function feed(source: AsyncIterable<Uint8Array>, transform: Transform): Promise<void> {
  for await (const chunk of source) {
    if (transform.destroyed) return;
    if (!transform.write(chunk)) await drained(transform);
  }
  transform.end();
}

function drained(transform: Transform): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      transform.off('drain', done);
      transform.off('close', done);
      resolve();
    };
    transform.on('drain', done);
    transform.on('close', done);
  });
}

const GZIP_SYSTEM_AT = 9;

async function* withUnknownSystem(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let at = 0;
  for await (const chunk of source) {
    if (at <= GZIP_SYSTEM_AT && GZIP_SYSTEM_AT < at + chunk.length) chunk[GZIP_SYSTEM_AT - at] = 255;
    at += chunk.length;
    yield chunk;
  }
}
