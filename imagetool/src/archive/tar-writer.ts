/**
 * Writes tar headers, the same bytes for the same entry everywhere: ustar wherever it can say all of it, PAX records, sorted, for the rest.
 * The caller writes header, content and padding, in this order, and END_OF_ARCHIVE at the end.
 */

import { isAscii } from './byte-string.ts';
import { encodePaxRecord } from './pax.ts';
import { type EntryType, type TarEntry, TarError } from './tar-entry.ts';
import { BLOCK_BYTES, FIELD, paddingAfter, USTAR_MAGIC, writeChecksum, writeNumber } from './tar-header.ts';

export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);

const TYPE_BYTES: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const MAX_OCTAL_SIZE = 8 ** 11;
const MAX_OCTAL_ID = 8 ** 7;
const PADDING = Buffer.alloc(BLOCK_BYTES);

/** The blocks before an entry's content. Sparse maps are not written: such a file is written with its zeros. Throws TarError. */
export function encodeHeader(entry: TarEntry): Buffer {
  if (entry.path.includes('\0') || entry.linkName.includes('\0')) throw new TarError(`${JSON.stringify(entry.path)} has a NUL in a name`);
  const split = splitPath(entry.path);
  const records = paxRecords(entry, split === undefined);
  const own = headerBlock(entry, split ?? { prefix: '', name: asciiTail(entry.path, FIELD.name.length) });
  if (records.size === 0) return own;
  const body = Buffer.concat([...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => encodePaxRecord(key, value)));
  return Buffer.concat([paxBlock(entry.path, body.length), body, paddingFor(body.length), own]);
}

/** Zeros to follow content of this size. */
export function paddingFor(size: number): Buffer {
  return PADDING.subarray(0, paddingAfter(size));
}

function paxRecords(entry: TarEntry, needsPath: boolean): Map<string, Buffer | string> {
  const records = new Map<string, Buffer | string>();
  if (needsPath) records.set('path', entry.path);
  if (entry.linkName.length > FIELD.linkName.length || !isAscii(entry.linkName)) records.set('linkpath', entry.linkName);
  if (entry.size >= MAX_OCTAL_SIZE) records.set('size', String(entry.size));
  if (entry.uid >= MAX_OCTAL_ID) records.set('uid', String(entry.uid));
  if (entry.gid >= MAX_OCTAL_ID) records.set('gid', String(entry.gid));
  if (!isOctalTime(entry.mtime.seconds) || entry.mtime.nanoseconds !== 0) records.set('mtime', formatTime(entry.mtime));
  if (entry.atime !== undefined) records.set('atime', formatTime(entry.atime));
  if (entry.ctime !== undefined) records.set('ctime', formatTime(entry.ctime));
  if (!fitsText(entry.userName)) records.set('uname', entry.userName);
  if (!fitsText(entry.groupName)) records.set('gname', entry.groupName);
  for (const [name, value] of entry.xattrs) {
    if (name.includes('='))
      throw new TarError(`${JSON.stringify(entry.path)} has an xattr whose name holds a "=": ${JSON.stringify(name)}`);
    records.set(`SCHILY.xattr.${name}`, value);
  }
  return records;
}

function headerBlock(entry: TarEntry, path: { prefix: string; name: string }): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(path.name, FIELD.name.at, FIELD.name.length, 'latin1');
  writeNumber(block, FIELD.mode, entry.mode & 0o7777);
  writeNumber(block, FIELD.uid, entry.uid < MAX_OCTAL_ID ? entry.uid : 0);
  writeNumber(block, FIELD.gid, entry.gid < MAX_OCTAL_ID ? entry.gid : 0);
  writeNumber(block, FIELD.size, entry.size < MAX_OCTAL_SIZE ? entry.size : 0);
  writeNumber(block, FIELD.mtime, isOctalTime(entry.mtime.seconds) ? entry.mtime.seconds : 0);
  block.write(TYPE_BYTES[entry.type], FIELD.type.at, 1, 'latin1');
  block.write(asciiHead(entry.linkName, FIELD.linkName.length), FIELD.linkName.at, FIELD.linkName.length, 'latin1');
  block.write(USTAR_MAGIC, FIELD.magic.at, FIELD.magic.length, 'latin1');
  if (fitsText(entry.userName)) block.write(entry.userName, FIELD.userName.at, 'latin1');
  if (fitsText(entry.groupName)) block.write(entry.groupName, FIELD.groupName.at, 'latin1');
  writeNumber(block, FIELD.deviceMajor, entry.deviceMajor);
  writeNumber(block, FIELD.deviceMinor, entry.deviceMinor);
  block.write(path.prefix, FIELD.prefix.at, FIELD.prefix.length, 'latin1');
  writeChecksum(block);
  return block;
}

/** The header of an extended header. Its name only matters to readers that do not know PAX. */
function paxBlock(path: string, size: number): Buffer {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/') + 1;
  const name = `${trimmed.slice(0, slash)}PaxHeaders.0/${trimmed.slice(slash)}`;
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(asciiHead(name, FIELD.name.length), FIELD.name.at, FIELD.name.length, 'latin1');
  for (const field of [FIELD.mode, FIELD.uid, FIELD.gid, FIELD.mtime]) writeNumber(block, field, 0);
  writeNumber(block, FIELD.size, size);
  block.write('x', FIELD.type.at, 1, 'latin1');
  block.write(USTAR_MAGIC, FIELD.magic.at, FIELD.magic.length, 'latin1');
  writeChecksum(block);
  return block;
}

/** A path as ustar's two fields, or undefined if it does not fit them. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= FIELD.name.length) return { prefix: '', name: path };
  if (path.length > FIELD.name.length + 1 + FIELD.prefix.length) return undefined;
  // The last slash that leaves a short enough prefix; a directory's final slash is no border.
  const slash = path.slice(0, -1).lastIndexOf('/', FIELD.prefix.length);
  if (slash <= 0 || path.length - slash - 1 > FIELD.name.length) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

function fitsText(text: string): boolean {
  return isAscii(text) && text.length < FIELD.userName.length;
}

function isOctalTime(seconds: number): boolean {
  return seconds >= 0 && seconds < MAX_OCTAL_SIZE;
}

function formatTime({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): string {
  if (nanoseconds === 0) return String(seconds);
  const isNegative = seconds < 0;
  const whole = isNegative ? -seconds - 1 : seconds;
  const fraction = String(isNegative ? 1e9 - nanoseconds : nanoseconds).padStart(9, '0');
  return `${isNegative ? '-' : ''}${whole}.${fraction.replace(/0+$/, '')}`;
}

function asciiHead(text: string, length: number): string {
  return text.replace(/[^\0-\x7f]/g, '').slice(0, length);
}

function asciiTail(text: string, length: number): string {
  return text.replace(/[^\0-\x7f]/g, '').slice(-length);
}
