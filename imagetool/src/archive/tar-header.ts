/**
 * The 512-byte header block: fields, numbers, checksum (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").
 */

import { TarError } from './tar-entry.ts';

export const BLOCK_BYTES = 512;

interface Field {
  readonly at: number;
  readonly length: number;
}

export const FIELD = {
  name: { at: 0, length: 100 },
  mode: { at: 100, length: 8 },
  uid: { at: 108, length: 8 },
  gid: { at: 116, length: 8 },
  size: { at: 124, length: 12 },
  mtime: { at: 136, length: 12 },
  checksum: { at: 148, length: 8 },
  type: { at: 156, length: 1 },
  linkName: { at: 157, length: 100 },
  magic: { at: 257, length: 8 },
  userName: { at: 265, length: 32 },
  groupName: { at: 297, length: 32 },
  deviceMajor: { at: 329, length: 8 },
  deviceMinor: { at: 337, length: 8 },
  prefix: { at: 345, length: 155 },
  gnuAtime: { at: 345, length: 12 },
  gnuCtime: { at: 357, length: 12 },
  gnuRealSize: { at: 483, length: 12 },
} as const satisfies Record<string, Field>;

export const USTAR_MAGIC = 'ustar\x0000';
export const GNU_MAGIC = 'ustar  \0';

/** A text field, up to its first NUL, as a byte string. */
export function readText(block: Buffer, field: Field): string {
  const end = field.at + field.length;
  const nul = block.indexOf(0, field.at);
  return block.toString('latin1', field.at, nul < 0 || nul > end ? end : nul);
}

/**
 * A number: octal digits between spaces and NULs, or, with the highest bit set, base 256 in two's complement. Empty is 0.
 * Throws TarError for anything else, and for numbers JavaScript does not hold exactly.
 */
export function readNumber(block: Buffer, field: Field): number {
  const first = block[field.at] ?? 0;
  if ((first & 0x80) !== 0) return readBase256(block, field);
  let value = 0;
  let hasEnded = false;
  let hasDigits = false;
  for (let at = field.at; at < field.at + field.length; at += 1) {
    const byte = block[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x37 && !hasEnded) {
      value = value * 8 + (byte - 0x30);
      hasDigits = true;
    } else if (byte === 0 || byte === 0x20) hasEnded ||= hasDigits || byte === 0;
    else
      throw new TarError(
        `a number in a header is not octal: ${JSON.stringify(block.toString('latin1', field.at, field.at + field.length))}`,
      );
  }
  return value;
}

function readBase256(block: Buffer, field: Field): number {
  const first = block[field.at] ?? 0;
  // The first byte's high bit is the mark, the next one the sign.
  let value = BigInt((first & 0x3f) - (first & 0x40));
  for (let at = field.at + 1; at < field.at + field.length; at += 1) value = (value << 8n) | BigInt(block[at] ?? 0);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw new TarError(`a number in a header is too large: ${value}`);
  return Number(value);
}

/** Writes octal digits and a NUL, or base 256 where they do not fit. */
export function writeNumber(block: Buffer, field: Field, value: number): void {
  const digits = field.length - 1;
  if (value >= 0 && value < 8 ** digits) {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, field.at, field.length, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let at = field.at + field.length - 1; at >= field.at; at -= 1) {
    block[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[field.at] = (block[field.at] ?? 0) | 0x80;
}

/** Whether the header's checksum is right, by the sum of unsigned bytes or, as some old programs made it, of signed ones. */
export function isChecksumRight(block: Buffer): boolean {
  const stored = readNumber(block, FIELD.checksum);
  let unsigned = 0;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const byte = at >= FIELD.checksum.at && at < FIELD.checksum.at + FIELD.checksum.length ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    if (byte > 127) high += 1;
  }
  return stored === unsigned || stored === unsigned - 256 * high;
}

export function writeChecksum(block: Buffer): void {
  block.fill(0x20, FIELD.checksum.at, FIELD.checksum.at + FIELD.checksum.length);
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) sum += block[at] ?? 0;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, FIELD.checksum.at, FIELD.checksum.length, 'latin1');
}

const ZERO_BLOCK = Buffer.alloc(BLOCK_BYTES);

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(ZERO_BLOCK);
}

/** Bytes from the end of content of this size to the next block. */
export function paddingAfter(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}
