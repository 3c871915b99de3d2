import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { AgentConversation } from './agent.ts';
import { type Identity, identityOf } from './identity.ts';
import { parsePrivateKey } from './private-key.ts';
import { WireReader, wireInteger, wireString, wireUint32 } from './wire.ts';

const ED25519 = generateKeyPairSync('ed25519');
const KEYS: readonly [string, { privateKey: KeyObject; publicKey: KeyObject }][] = [
  ['ed25519', ED25519],
  ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
];

const pem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));
const identity = (key: KeyObject): Identity => identityOf(parsePrivateKey(pem(key), 'key'), 'key');

function ask(identities: readonly Identity[], ...message: (Buffer | number)[]): Buffer {
  const body = Buffer.concat(message.map((part) => (typeof part === 'number' ? Buffer.of(part) : part)));
  return new WireReader(new AgentConversation(identities).receive(wireString(body))).string();
}

describe('an agent', () => {
  it('lists its keys in their order, with their comments', () => {
    const identities = KEYS.map(([, { privateKey }]) => identity(privateKey));
    const fields = new WireReader(ask(identities, 11));
    expect([fields.bytes(1)[0], fields.uint32()]).toEqual([12, KEYS.length]);
    const types = KEYS.map(() => {
      const type = new WireReader(fields.string()).text();
      return [type, fields.text()];
    });
    expect(types).toEqual(['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521'].map((type) => [type, 'key']));
  });

  it.each([
    ['ed25519', 0, 'ssh-ed25519', null],
    ['rsa', 0, 'ssh-rsa', 'sha1'],
    ['rsa', 2, 'rsa-sha2-256', 'sha256'],
    ['rsa', 4, 'rsa-sha2-512', 'sha512'],
    ['P-256', 0, 'ecdsa-sha2-nistp256', 'sha256'],
    ['P-521', 0, 'ecdsa-sha2-nistp521', 'sha512'],
  ])('signs with %s and flags %d as %s', (name, flags, algorithm, hash) => {
    const pair = new Map(KEYS).get(name) ?? ED25519;
    const one = identity(pair.privateKey);
    const data = Buffer.from('to be signed');
    const fields = new WireReader(ask([one], 13, wireString(one.publicKey), wireString(data), wireUint32(flags)));
    expect(fields.bytes(1)[0]).toBe(14);
    const signature = new WireReader(fields.string());
    expect(signature.text()).toBe(algorithm);
    const bytes = signature.string();
    const key = createPublicKey(pair.privateKey);
    const isEc = name.startsWith('P-');
    const size = name === 'P-521' ? 66 : 32;
    const numbers = isEc ? new WireReader(bytes) : undefined;
    const padded = (number: Buffer): Buffer => Buffer.concat([Buffer.alloc(size), number]).subarray(-size);
    const plain = numbers === undefined ? bytes : Buffer.concat([padded(numbers.string()), padded(numbers.string())]);
    expect(verify(hash, data, isEc ? { key, dsaEncoding: 'ieee-p1363' } : key, plain)).toBe(true);
  });

  it('refuses all else: keys to add, to remove, unknown keys, cut messages', () => {
    const [one, other] = KEYS.map(([, { privateKey }]) => identity(privateKey));
    const known = one === undefined ? [] : [one];
    const unknown = wireString(other?.publicKey ?? '');
    const messages: (Buffer | number)[][] = [
      [17, wireString('ssh-ed25519')],
      [19],
      [13],
      [13, unknown, wireString('x'), wireUint32(0)],
      [],
    ];
    for (const message of messages) expect(ask(known, ...message)).toEqual(Buffer.of(5));
  });

  it('takes messages in pieces, and several in one', () => {
    const conversation = new AgentConversation([]);
    const list = wireString(Buffer.of(11));
    const empty = wireString(Buffer.concat([Buffer.of(12), wireUint32(0)]));
    expect(conversation.receive(list.subarray(0, 3))).toEqual(Buffer.alloc(0));
    expect(conversation.receive(Buffer.concat([list.subarray(3), list, list.subarray(0, 4)]))).toEqual(Buffer.concat([empty, empty]));
    expect(conversation.receive(list.subarray(4))).toEqual(empty);
    expect(() => conversation.receive(wireUint32(300_000))).toThrow('a message of 300000 bytes');
  });
});

describe('files of private keys', () => {
  it.each(KEYS)('in PEM: %s', (_, { privateKey }) => {
    expect(parsePrivateKey(pem(privateKey), 'k').key.equals(privateKey)).toBe(true);
  });

  it('with a passphrase are refused, with what to do', () => {
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
    const text = String(ED25519.privateKey.export(cipher));
    expect(() => parsePrivateKey(text, '/k')).toThrow('the private key in /k is encrypted, and builds do not ask for passphrases');
    const old =
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n';
    expect(() => parsePrivateKey(old, '/k')).toThrow('is encrypted');
  });

  it.each([
    ['text', 'nonsense'],
    ['a public key', String(ED25519.publicKey.export({ type: 'spki', format: 'pem' }))],
    ['a cut key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n'],
  ])('%s is none', (_, text) => {
    expect(() => parsePrivateKey(text, '/k')).toThrow('/k holds no private key that can be read');
  });

  it('of a kind that ssh does not know', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    expect(() => identity(privateKey)).toThrow('is none that ssh knows (OKP X25519)');
  });
});

it.each([
  [[], '00000000'],
  [[0, 0], '00000000'],
  [[0, 1], '0000000101'],
  [[0x80], '000000020080'],
])('the number %j on the wire', (bytes, hex) => {
  expect(wireInteger(Buffer.from(bytes)).toString('hex')).toBe(hex);
});
