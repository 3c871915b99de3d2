import type { Digest } from '../../../specs/image/digest.ts';
import { digestOf } from './digest.ts';
import { verifyBytes, verifyStream } from './verify.ts';

const content = new TextEncoder().encode('hello world');

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, expected: { digest: Digest; size: number }): Promise<number> {
  let total = 0;
  for await (const chunk of verifyStream(chunksOf(bytes, 4), expected)) total += chunk.length;
  return total;
}

describe.each(['sha256', 'sha512'] as const)('verification with %s', (algorithm) => {
  const expected = { digest: digestOf(content, algorithm), size: content.length };

  it('passes the content itself', async () => {
    expect(await read(content, expected)).toBe(content.length);
    expect(() => verifyBytes(content, expected)).not.toThrow();
  });

  it.each([
    ['other content', Buffer.from('hello_world'), /other content/],
    ['a byte too few', content.subarray(1), /10 of the 11 bytes/],
    ['a byte too many', Buffer.from('hello world!'), /more than the 11 bytes/],
    ['nothing', new Uint8Array(), /0 of the 11/],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(read(bytes, expected)).rejects.toThrow(message);
    expect(() => verifyBytes(bytes, expected)).toThrow(expect.objectContaining({ code: 'digest' }));
  });
});

describe('digestOf', () => {
  it('knows the digest of nothing', () => {
    expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

describe('an algorithm that cannot be computed', () => {
  it('is refused by name', () => {
    expect(() => verifyBytes(content, { digest: 'blake3:00' as Digest, size: 11 })).toThrow(/blake3/);
  });
});
