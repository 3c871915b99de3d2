/** Digests as text, on both engines. */

import type { Digest } from '../../../specs/image/digest.ts';

/** The part after the colon. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The first twelve digits, as docker shows ids. */
export function shortDigest(digest: Digest): string {
  return encodedOf(digest).slice(0, 12);
}
