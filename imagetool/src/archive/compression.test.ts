import { spawnSync } from 'node:child_process';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { LayerCompression } from '../../../specs/image/media-types.ts';
import { compress, decompress, detectCompression } from './compression.ts';

const content = Buffer.concat(Array.from({ length: 5000 }, (_, n) => Buffer.from(`line ${n} of some text\n`.repeat(5))));

async function* chunked(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('compress and decompress', () => {
  it.each<LayerCompression>(['none', 'gzip', 'zstd'])('gives back what was put in, by %s, chunk by chunk', async (compression) => {
    const packed = await gather(compress(chunked(content), { compression }));
    expect(detectCompression(packed)).toBe(compression);
    for (const size of [1000, packed.length]) expect((await gather(decompress(chunked(packed, size)))).equals(content)).toBe(true);
    if (compression !== 'none') expect(packed.length).toBeLessThan(content.length / 5);
  });

  it('writes the same gzip bytes every time, without a time or a system', async () => {
    const packed = await gather(compress(chunked(content), { compression: 'gzip' }));
    expect(packed.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
    expect((await gather(compress(chunked(content, 77), { compression: 'gzip' }))).equals(packed)).toBe(true);
    expect(gunzipSync(packed).equals(content)).toBe(true);
  });

  it('reads several gzip members and several zstd frames one after another', async () => {
    const twice = Buffer.concat([content, content]);
    expect((await gather(decompress(chunked(Buffer.concat([gzipSync(content), gzipSync(content)]))))).equals(twice)).toBe(true);
    const frame = await gather(compress(chunked(content), { compression: 'zstd' }));
    const frames = Buffer.concat([frame, frame]);
    // The border within a chunk, at its end, and several chunks from it.
    for (const size of [frames.length, frame.length, 100]) {
      expect((await gather(decompress(chunked(frames, size)))).equals(twice)).toBe(true);
    }
    // As zstd:chunked has them.
    const skippable = Buffer.concat([Buffer.from('502a4d1804000000abcdabcd', 'hex'), frame]);
    expect((await gather(decompress(chunked(Buffer.concat([skippable, skippable]))))).equals(twice)).toBe(true);
  });

  it.each([
    ['a cut gzip', gzipSync(content).subarray(0, 2000)],
    ['a damaged gzip', Buffer.from(gzipSync(content)).fill(0xff, 500, 600)],
    ['a damaged zstd', Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(100, 0xff)])],
  ])('refuses %s', async (_, bytes) => {
    await expect(gather(decompress(chunked(bytes, 100)))).rejects.toMatchObject({ code: 'compression' });
  });

  it('refuses a cut zstd frame', async () => {
    const frame = spawnSync('zstd', ['-c'], { input: content }).stdout;
    await expect(gather(decompress(chunked(frame.subarray(0, frame.length - 40), 100)))).rejects.toMatchObject({ code: 'compression' });
  });

  it('stops a bomb at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    await expect(gather(decompress(chunked(bomb), 1_000_000))).rejects.toThrow(/more than the 1000000 bytes/);
  });

  it('hands an error of the source on as it is, and stops the source when nobody reads on', async () => {
    const packed = gzipSync(content);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield packed.subarray(0, 100);
      throw new TypeError('cut');
    }
    await expect(gather(decompress(failing()))).rejects.toThrow(TypeError);
    let isStopped = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield packed;
      } finally {
        isStopped = true;
      }
    }
    for await (const _ of decompress(endless())) break;
    expect(isStopped).toBe(true);
  });
});
