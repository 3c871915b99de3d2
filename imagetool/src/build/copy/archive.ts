/** Archives as ADD and contexts know them: told by their first bytes, unpacked into directories. */

import { spawn } from 'node:child_process';
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { TarError } from '../../archive/tar-entry.ts';
import { ImageError } from '../../base/errors.ts';
import { unpackLayer } from '../../layer/unpack.ts';

export type Packing = 'tar' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Enough of a file's beginning for `packingOfHead`: one block of an archive. */
const HEAD_BYTES = 512;

/** Undefined: not an archive that ADD unpacks. */
export async function packingOf(hostPath: string): Promise<Packing | undefined> {
  const file = await open(hostPath, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return packingOfHead(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** Of a file by its first 512 bytes. */
export function packingOfHead(head: Buffer): Packing | undefined {
  const is = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (is(0x1f, 0x8b)) return 'gzip';
  if (is(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (is(0x42, 0x5a, 0x68)) return 'bzip2';
  if (is(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  return head.length >= HEAD_BYTES && isTarHeader(head) ? 'tar' : undefined;
}

/** By its magic or, of the oldest ones, which have none, by its checksum (tar(5)). */
function isTarHeader(head: Buffer): boolean {
  if (head.toString('latin1', 257, 262) === 'ustar') return true;
  const told = Number.parseInt(head.toString('latin1', 148, 156).replaceAll('\0', ' ').trim(), 8);
  const sum = head.subarray(0, HEAD_BYTES).reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return told === sum && head[0] !== 0;
}

/** Unpacks into an empty directory. False where a compressed file turns out to be no archive: then it is a file to be copied. */
export async function unpackArchive(sys: Sys, hostPath: string, packing: Packing, directory: string): Promise<boolean> {
  try {
    await unpackStream(sys, createReadStream(hostPath), packing, directory);
    return true;
  } catch (error) {
    if (!(error instanceof TarError) || packing === 'tar') throw error;
    rmSync(directory, { recursive: true, force: true });
    return false;
  }
}

/** Throws TarError for what is no archive, ImageError `add` where the tool that inflates it is missing, or cannot read it. */
export async function unpackStream(sys: Sys, source: AsyncIterable<Uint8Array>, packing: Packing, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const inflated = packing === 'bzip2' || packing === 'xz' ? inflate(packing, source) : source;
  await unpackLayer(sys, inflated, directory, { whiteouts: 'remove', isRootless: false });
}

async function* inflate(command: 'bzip2' | 'xz', source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const child = spawn(command, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', (cause) =>
      fail(new ImageError('add', `a ${command} archive needs ${command}, which this machine lacks`, { cause })),
    );
    child.once('close', done);
  });
  ended.catch(() => undefined);
  // What it does not want to read any more, its exit code tells of.
  const fed = pipeline(Readable.from(source), child.stdin).catch(() => undefined);
  try {
    for await (const chunk of child.stdout) if (chunk instanceof Uint8Array) yield chunk;
    const code = await ended;
    if (code !== 0) throw new ImageError('add', `${command} cannot read the archive: exit code ${code}`);
  } finally {
    child.kill('SIGKILL');
    await fed;
  }
}
