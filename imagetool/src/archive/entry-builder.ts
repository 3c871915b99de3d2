/** Puts an entry together from its header block and the extended headers before it. */

import { type PaxRecord, paxInteger, paxTime } from './pax.ts';
import { type EntryType, type TarEntry, TarError } from './tar-entry.ts';
import { FIELD, GNU_MAGIC, readNumber, readText } from './tar-header.ts';

/** Extended headers that apply to the next entry. */
export interface Extensions {
  readonly records: readonly PaxRecord[];
  readonly longName?: string;
  readonly longLink?: string;
}

export const NO_EXTENSIONS: Extensions = { records: [] };

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  S: 'file',
};

const XATTR_PREFIX = 'SCHILY.xattr.';
const LIBARCHIVE_XATTR_PREFIX = 'LIBARCHIVE.xattr.';

/** The entry, without what is special to sparse files; `size` is that of the data in the archive. Throws TarError. */
export function buildEntry(block: Buffer, extensions: Extensions): TarEntry {
  const typeByte = readText(block, FIELD.type) || '\0';
  const name = extensions.longName ?? headerPath(block);
  const base: TarEntry = {
    path: name,
    type: typeOf(typeByte, name),
    mode: readNumber(block, FIELD.mode) & 0o7777,
    uid: readNumber(block, FIELD.uid),
    gid: readNumber(block, FIELD.gid),
    userName: readText(block, FIELD.userName),
    groupName: readText(block, FIELD.groupName),
    size: readNumber(block, FIELD.size),
    mtime: { seconds: readNumber(block, FIELD.mtime), nanoseconds: 0 },
    linkName: extensions.longLink ?? readText(block, FIELD.linkName),
    deviceMajor: readNumber(block, FIELD.deviceMajor),
    deviceMinor: readNumber(block, FIELD.deviceMinor),
    xattrs: NO_XATTRS,
  };
  const entry = extensions.records.length === 0 ? base : withRecords(base, extensions.records);
  // Only files have data, whatever the field says (as Go reads it; some writers give hard links their file's size).
  const sized = entry.type === 'file' ? entry : { ...entry, size: 0 };
  check(sized);
  return sized;
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

function typeOf(typeByte: string, name: string): EntryType {
  const type = TYPES[typeByte];
  if (type === undefined)
    throw new TarError(`entry ${JSON.stringify(name)} is of type ${JSON.stringify(typeByte)}, which no layer may hold`);
  // Before POSIX a directory was a file whose name ends in a slash.
  return typeByte === '\0' && name.endsWith('/') ? 'directory' : type;
}

function headerPath(block: Buffer): string {
  const name = readText(block, FIELD.name);
  // GNU's header has times where ustar has the prefix.
  const magic = block.toString('latin1', FIELD.magic.at, FIELD.magic.at + FIELD.magic.length);
  if (magic === GNU_MAGIC || !magic.startsWith('ustar\0')) return name;
  const prefix = readText(block, FIELD.prefix);
  return prefix === '' ? name : `${prefix}/${name}`;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function withRecords(base: TarEntry, records: readonly PaxRecord[]): TarEntry {
  const entry: Mutable<TarEntry> = { ...base };
  const xattrs = new Map<string, Buffer>();
  for (const record of records) {
    if (record.key.startsWith(XATTR_PREFIX)) xattrs.set(record.key.slice(XATTR_PREFIX.length), Buffer.from(record.value));
    else if (record.key.startsWith(LIBARCHIVE_XATTR_PREFIX)) addLibarchiveXattr(xattrs, record);
    // An empty value takes back what an earlier header said: what the header block says stands.
    else if (record.value.length > 0) SETTERS[record.key]?.(entry, record);
  }
  entry.xattrs = xattrs;
  return entry;
}

const SETTERS: Readonly<Record<string, (entry: Mutable<TarEntry>, record: PaxRecord) => void>> = {
  path: (entry, record) => {
    entry.path = record.value.toString('latin1');
  },
  linkpath: (entry, record) => {
    entry.linkName = record.value.toString('latin1');
  },
  size: (entry, record) => {
    entry.size = paxInteger(record);
  },
  uid: (entry, record) => {
    entry.uid = paxInteger(record);
  },
  gid: (entry, record) => {
    entry.gid = paxInteger(record);
  },
  uname: (entry, record) => {
    entry.userName = record.value.toString('latin1');
  },
  gname: (entry, record) => {
    entry.groupName = record.value.toString('latin1');
  },
  mtime: (entry, record) => {
    entry.mtime = paxTime(record);
  },
  atime: (entry, record) => {
    entry.atime = paxTime(record);
  },
  ctime: (entry, record) => {
    entry.ctime = paxTime(record);
  },
};

/** Names are URL-encoded and values in base64, without padding. SCHILY's record of the same name, raw, is preferred. */
function addLibarchiveXattr(xattrs: Map<string, Buffer>, record: PaxRecord): void {
  const encoded = record.key.slice(LIBARCHIVE_XATTR_PREFIX.length);
  const name = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (!xattrs.has(name)) xattrs.set(name, Buffer.from(record.value.toString('latin1'), 'base64'));
}

/** uid_t is 32 bits, and its last value means "leave as it is" to chown(2). */
const MAX_ID = 0xfffffffe;
/** Times beyond what any file system keeps. */
const MAX_SECONDS = 2 ** 47;

function check(entry: TarEntry): void {
  const refuse = (problem: string): never => {
    throw new TarError(`entry ${JSON.stringify(entry.path)} ${problem}`);
  };
  if (entry.path === '') refuse('has no name');
  for (const text of [entry.path, entry.linkName]) if (text.includes('\0')) refuse('has a NUL in a name');
  for (const name of entry.xattrs.keys())
    if (name === '' || name.includes('\0') || name.length > 255) refuse('has an impossible xattr name');
  if (entry.size < 0) refuse('has a negative size');
  for (const id of [entry.uid, entry.gid]) if (id < 0 || id > MAX_ID) refuse(`has the owner ${id}, which is no id`);
  if (Math.abs(entry.mtime.seconds) > MAX_SECONDS) refuse('has an impossible time');
  for (const number of [entry.deviceMajor, entry.deviceMinor])
    if (number < 0 || number > 0xffffffff) refuse('has an impossible device number');
}
