/**
 * SHA-256 by the OpenSSL library of the system, for the engine that has no hash of its own. The functions are OpenSSL's oldest ones (SHA256_Init(3)):
 * they need none of its setting up, which takes longer than hashing a layer.
 */

import type { Address, Sys } from '../../../runtime/src/sys/sys.ts';

const LIBRARIES = ['libcrypto.so.3', 'libcrypto.so.1.1'];
/** sizeof(SHA256_CTX) is 112. */
const CONTEXT_BYTES = 128;
const DIGEST_BYTES = 32;

export interface Sha256 {
  /** A new computation. */
  begin(): Sha256Computation;
}

export interface Sha256Computation {
  update(start: Address, length: number): void;
  /** Ends the computation: lower-case hex. */
  hex(): string;
}

/** Undefined where the library is not installed. */
export function librarySha256(sys: Sys): Sha256 | undefined {
  for (const library of LIBRARIES) {
    const [init = 0, update = 0, final = 0] = ['SHA256_Init', 'SHA256_Update', 'SHA256_Final'].map((name) => sys.symbol(library, name));
    if (init !== 0 && update !== 0 && final !== 0) return { begin: () => begin(sys, { init, update, final }) };
  }
  return undefined;
}

interface Functions {
  readonly init: Address;
  readonly update: Address;
  readonly final: Address;
}

function begin(sys: Sys, { init, update, final }: Functions): Sha256Computation {
  const context = new ArrayBuffer(CONTEXT_BYTES);
  sys.call(init, context);
  return {
    update: (start, length) => {
      sys.call(update, context, start, length);
    },
    hex: () => {
      const digest = new ArrayBuffer(DIGEST_BYTES);
      sys.call(final, digest, context);
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  };
}
