/** Digests as text: `algorithm:encoded` (image-spec, descriptor.md#digests). Hashing is the image tool's work. */

import { type Shape, SpecError, string } from './shape.ts';

declare const digestBrand: unique symbol;

/** A digest whose text follows the grammar and, for a registered algorithm, has that algorithm's length and lower-case hex. */
export type Digest = string & { readonly [digestBrand]: true };

/** The registered algorithms we can compute, with the length of their hex text. */
export const DIGEST_HEX_LENGTH = { sha256: 64, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof DIGEST_HEX_LENGTH;

const usual = /^sha256:[a-f0-9]{64}$/;
const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

export function isDigest(text: string): text is Digest {
  if (usual.test(text)) return true;
  // The length limit keeps file names made of it below NAME_MAX.
  if (text.length > 200 || !grammar.test(text)) return false;
  const algorithm = text.slice(0, text.indexOf(':'));
  if (!isDigestAlgorithm(algorithm)) return true;
  const hex = text.slice(algorithm.length + 1);
  return hex.length === DIGEST_HEX_LENGTH[algorithm] && /^[a-f0-9]+$/.test(hex);
}

export function isDigestAlgorithm(text: string): text is DigestAlgorithm {
  return Object.hasOwn(DIGEST_HEX_LENGTH, text);
}

/** Throws SpecError unless the text is a digest. */
export function asDigest(text: string, path = ''): Digest {
  if (!isDigest(text)) throw new SpecError(path, `${JSON.stringify(text)} is not a digest (algorithm:hex)`);
  return text;
}

export const digest: Shape = (value) => {
  string(value);
  asDigest(String(value));
};
