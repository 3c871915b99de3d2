/** Nobody reads a blob without its size and digest being checked: these are the two ways to check. */

import type { Digest } from '../../../specs/image/digest.ts';
import { algorithmOf, DigestError, Digester, digestOf } from './digest.ts';

export interface Expected {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Throws DigestError unless `bytes` is the content of the descriptor. */
export function verifyBytes(bytes: Uint8Array, expected: Expected): void {
  if (bytes.length !== expected.size) throw sizeError(expected, bytes.length);
  const actual = digestOf(bytes, algorithmOf(expected.digest));
  if (actual !== expected.digest) throw mismatch(expected, actual);
}

/**
 * Hands the chunks on, and throws DigestError as soon as there is one byte too many, or at the end, when bytes are missing or the digest is another.
 * The end of the iteration without an error is the only proof: whoever stops earlier has read unchecked content.
 */
export async function* verifyStream(source: AsyncIterable<Uint8Array>, expected: Expected): AsyncGenerator<Uint8Array, void, void> {
  const digester = new Digester(algorithmOf(expected.digest));
  for await (const chunk of source) {
    if (digester.bytes + chunk.length > expected.size) throw sizeError(expected, digester.bytes + chunk.length);
    digester.update(chunk);
    yield chunk;
  }
  if (digester.bytes !== expected.size) throw sizeError(expected, digester.bytes);
  const actual = digester.digest();
  if (actual !== expected.digest) throw mismatch(expected, actual);
}

function sizeError(expected: Expected, actual: number): DigestError {
  const count = actual > expected.size ? `more than the ${expected.size} bytes` : `${actual} of the ${expected.size} bytes`;
  return new DigestError(`blob ${expected.digest} has ${count} its descriptor says`);
}

function mismatch(expected: Expected, actual: Digest): DigestError {
  return new DigestError(`blob ${expected.digest} has other content: its digest is ${actual}`);
}
