/** A private key as an agent knows it: by its public key, and by what it can sign. */

import { type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { ImageError } from '../../base/errors.ts';
import type { PrivateKey } from './private-key.ts';
import { wireInteger, wireString } from './wire.ts';

export interface Identity {
  /** As it stands in messages. */
  readonly publicKey: Buffer;
  readonly comment: string;
  /** `flags`: SSH_AGENT_RSA_SHA2_…. */
  sign(data: Buffer, flags: number): Buffer;
}

/** Throws ImageError `ssh` for a key that ssh has no name for; `name` is the file's. */
export function identityOf({ key, comment }: PrivateKey, name: string): Identity {
  const jwk = key.export({ format: 'jwk' });
  if (jwk.kty === 'RSA') return rsa(key, jwk, comment);
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return ed25519(key, jwk, comment);
  const curve = CURVES.get(jwk.crv ?? '');
  if (curve !== undefined) return ecdsa(key, { jwk, curve, comment });
  throw new ImageError('ssh', `the private key in ${name} is none that ssh knows (${jwk.kty} ${jwk.crv ?? ''})`);
}

function rsa(key: KeyObject, { e, n }: JsonWebKey, comment: string): Identity {
  return {
    publicKey: Buffer.concat([wireString('ssh-rsa'), wireInteger(bytesOf(e)), wireInteger(bytesOf(n))]),
    comment,
    sign: (data, flags) => {
      const [algorithm, hash] = RSA_ALGORITHMS.find(([flag]) => (flags & flag) === flag)?.[1] ?? ['ssh-rsa', 'sha1'];
      return Buffer.concat([wireString(algorithm), wireString(sign(hash, data, key))]);
    },
  };
}

/** RFC 8332; the agent's flags are those of draft-miller-ssh-agent, section 4.5.1. */
const RSA_ALGORITHMS: readonly (readonly [flag: number, readonly [algorithm: string, hash: string]])[] = [
  [4, ['rsa-sha2-512', 'sha512']],
  [2, ['rsa-sha2-256', 'sha256']],
];

/** RFC 8709. */
function ed25519(key: KeyObject, { x }: JsonWebKey, comment: string): Identity {
  return {
    publicKey: Buffer.concat([wireString('ssh-ed25519'), wireString(bytesOf(x))]),
    comment,
    sign: (data) => Buffer.concat([wireString('ssh-ed25519'), wireString(sign(null, data, key))]),
  };
}

interface Curve {
  readonly name: string;
  readonly hash: string;
}

const CURVES: ReadonlyMap<string, Curve> = new Map([
  ['P-256', { name: 'nistp256', hash: 'sha256' }],
  ['P-384', { name: 'nistp384', hash: 'sha384' }],
  ['P-521', { name: 'nistp521', hash: 'sha512' }],
]);

/** RFC 5656, sections 3.1 and 3.1.2. */
function ecdsa(key: KeyObject, { jwk, curve, comment }: { jwk: JsonWebKey; curve: Curve; comment: string }): Identity {
  const algorithm = `ecdsa-sha2-${curve.name}`;
  const point = Buffer.concat([Buffer.of(4), bytesOf(jwk.x), bytesOf(jwk.y)]);
  return {
    publicKey: Buffer.concat([wireString(algorithm), wireString(curve.name), wireString(point)]),
    comment,
    sign: (data) => {
      const both = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' });
      const [r, s] = [both.subarray(0, both.length / 2), both.subarray(both.length / 2)];
      return Buffer.concat([wireString(algorithm), wireString(Buffer.concat([wireInteger(r), wireInteger(s)]))]);
    },
  };
}

function bytesOf(text = ''): Buffer {
  return Buffer.from(text, 'base64url');
}
