/** Files of private keys, as ssh-keygen and openssl write them. */

import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { ImageError } from '../../base/errors.ts';
import { WireError, WireReader, withoutLeadingZeros } from './wire.ts';

export interface PrivateKey {
  readonly key: KeyObject;
  readonly comment: string;
}

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = 'openssh-key-v1\0';
/** Of OpenSSL's older form, of PKCS #8. */
const ENCRYPTED = /^Proc-Type:\s*4,\s*ENCRYPTED|-----BEGIN ENCRYPTED PRIVATE KEY-----/m;

/** `name` is the file's, for errors. Throws ImageError `ssh`: also for a key with a passphrase, which nobody is asked for. */
export function parsePrivateKey(text: string, name: string): PrivateKey {
  const own = OPENSSH.exec(text)?.[1];
  if (own === undefined && ENCRYPTED.test(text)) throw encrypted(name);
  try {
    return own === undefined ? { key: createPrivateKey(text), comment: name } : fromOpenssh(Buffer.from(own, 'base64'), name);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError('ssh', `${name} holds no private key that can be read`, {
      cause: error,
      hint: 'It can be a key of ssh-keygen or openssl (Ed25519, RSA, ECDSA), or the socket of an agent.',
    });
  }
}

function encrypted(name: string): ImageError {
  return new ImageError('ssh', `the private key in ${name} is encrypted, and builds do not ask for passphrases`, {
    hint: `Add it to an agent (ssh-add ${name}), and give the agent with --ssh default.`,
  });
}

/** OpenSSH's own form (PROTOCOL.key in its sources). */
function fromOpenssh(bytes: Buffer, name: string): PrivateKey {
  const outer = new WireReader(bytes);
  if (outer.bytes(MAGIC.length).toString('latin1') !== MAGIC) throw new WireError('not openssh-key-v1');
  const cipher = outer.text();
  // Key derivation and its options.
  outer.string();
  outer.string();
  if (outer.uint32() !== 1) throw new WireError('more than one key');
  // The public key is in the private one.
  outer.string();
  if (cipher !== 'none') throw encrypted(name);
  const inner = new WireReader(outer.string());
  const check = inner.uint32();
  if (check !== inner.uint32()) throw new WireError('the two check numbers differ');
  const key = createPrivateKey({ key: jwkOf(inner, inner.text(), name), format: 'jwk' });
  return { key, comment: inner.text() };
}

const CURVES: ReadonlyMap<string, string> = new Map([
  ['nistp256', 'P-256'],
  ['nistp384', 'P-384'],
  ['nistp521', 'P-521'],
]);

function jwkOf(fields: WireReader, type: string, name: string): JsonWebKey {
  if (type === 'ssh-ed25519') {
    const x = fields.string();
    return { kty: 'OKP', crv: 'Ed25519', x: base64url(x), d: base64url(fields.string().subarray(0, 32)) };
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => fields.string()) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    const rest = (prime: Buffer): Buffer => bytesOf(numberOf(d) % (numberOf(prime) - 1n));
    const numbers = { n, e, d, p, q, dp: rest(p), dq: rest(q), qi };
    return {
      kty: 'RSA',
      ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, base64url(withoutLeadingZeros(value))])),
    };
  }
  const crv = CURVES.get(type.replace('ecdsa-sha2-', ''));
  if (crv === undefined) {
    const hint = 'Add it to an agent, and give the agent with --ssh default.';
    throw new ImageError('ssh', `the private key in ${name} is of type ${type}: Ed25519, RSA and ECDSA can be loaded`, { hint });
  }
  fields.string();
  // 4, then both coordinates at full length (RFC 5656, section 3.1).
  const point = fields.string().subarray(1);
  const length = point.length / 2;
  const d = withoutLeadingZeros(fields.string());
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, length - d.length)), d]);
  return { kty: 'EC', crv, x: base64url(point.subarray(0, length)), y: base64url(point.subarray(length)), d: base64url(padded) };
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
