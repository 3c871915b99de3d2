import { StatusCode } from '../base/status.ts';
import { framed, messagesIn } from './message.ts';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size: number): Promise<string[]> {
  const found: string[] = [];
  for await (const message of messagesIn(inChunks(bytes, size))) found.push(Buffer.from(message).toString());
  return found;
}

describe('messagesIn', () => {
  const three = Buffer.concat(['one', '', 'three'].map((text) => framed(Buffer.from(text))));

  it.each([1, 2, 5, 7, 100])('finds messages however they are cut: %d bytes at a time', async (size) => {
    expect(await read(three, size)).toEqual(['one', '', 'three']);
  });

  it('refuses what is cut short, compressed, or too long', async () => {
    await expect(read(three.subarray(0, -1), 4)).rejects.toMatchObject({ code: StatusCode.internal });
    await expect(read(Buffer.from([1, 0, 0, 0, 0]), 5)).rejects.toMatchObject({ code: StatusCode.internal });
    await expect(read(Buffer.from([0, 255, 0, 0, 0]), 5)).rejects.toMatchObject({ code: StatusCode.resourceExhausted });
  });
});
