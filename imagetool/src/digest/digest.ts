/** Computing digests, and comparing content with them. The text form and its grammar are in `specs/image/digest.ts`. */

import type { Hash } from 'node:crypto';
import { type Digest, type DigestAlgorithm, isDigestAlgorithm } from '../../../specs/image/digest.ts';
import { ImageError } from '../base/errors.ts';

/** OpenSSL takes longer to start than a command that only lists. */
function createHash(algorithm: DigestAlgorithm): Hash {
  return process.getBuiltinModule('node:crypto').createHash(algorithm);
}

/** Content that is not what its descriptor says, or a digest nothing here can compute. */
export class DigestError extends ImageError {
  constructor(message: string) {
    super('digest', message);
    this.name = 'DigestError';
  }
}

/** The algorithm of a digest. Throws DigestError for one that cannot be computed here. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  const name = digest.slice(0, digest.indexOf(':'));
  if (!isDigestAlgorithm(name)) throw new DigestError(`digest ${digest} uses ${name}; only sha256 and sha512 can be checked`);
  return name;
}

/** The part after the colon. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The first twelve digits, as docker shows ids. */
export function shortDigest(digest: Digest): string {
  return encodedOf(digest).slice(0, 12);
}

export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** A digest in the making: counts bytes as it hashes them. */
export class Digester {
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Hash;
  #bytes = 0;

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  /** Bytes taken in so far. */
  get bytes(): number {
    return this.#bytes;
  }

  update(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
  }

  /** Ends the computation; can be called once. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
  }
}
