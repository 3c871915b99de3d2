/**
 * Writes changes as a layer: the same bytes for the same changes everywhere. Times are whole seconds, newer ones clamped to the epoch given
 * (SOURCE_DATE_EPOCH); owners are numbers only; paths are in order, parents before children.
 */

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../../../runtime/src/linux/open-flags.ts';
import { toText } from '../archive/byte-string.ts';
import type { EntryType, TarEntry } from '../archive/tar-entry.ts';
import { END_OF_ARCHIVE, encodeHeader, paddingFor } from '../archive/tar-writer.ts';
import { ImageError } from '../base/errors.ts';
import type { Change } from './changes.ts';
import { baseOf, joinPath, parentOf } from './names.ts';
import { DEVICE_XATTR, decodeDevice } from './rootless.ts';
import { type FileRecord, isDirectory, isFile, type Tree } from './tree.ts';
import { OPAQUE_MARKER, WHITEOUT_PREFIX } from './whiteouts.ts';

export interface WriteLayerOptions {
  /** Seconds since 1970; no time in the layer is later. */
  readonly epochSeconds?: number;
  /** A directory that is not among the changes, but has some in it. */
  readonly parent: (path: string) => FileRecord | undefined;
}

const CHUNK_BYTES = 256 * 1024;

const TYPES: ReadonlyMap<number, EntryType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
]);

/** The layer's uncompressed archive. `changes` in the order of compareChanges; contents are read from `tree`. Sockets are left out. */
export async function* writeLayer(changes: Iterable<Change>, tree: Tree, options: WriteLayerOptions): AsyncGenerator<Buffer, void, void> {
  for (const { entry, hostPath } of layerEntries(changes, tree, options)) {
    yield encodeHeader(entry);
    if (hostPath === undefined) continue;
    yield* contentOf(hostPath, entry);
    yield paddingFor(entry.size);
  }
  yield END_OF_ARCHIVE;
}

export interface LayerEntry {
  readonly entry: TarEntry;
  /** Where the content of a file that is not empty can be read. */
  readonly hostPath?: string;
}

/** What a layer of the changes holds, as writeLayer writes it. */
export function* layerEntries(changes: Iterable<Change>, tree: Tree, options: WriteLayerOptions): Generator<LayerEntry, void, void> {
  const writer = new LayerWriter(options);
  for (const change of changes) {
    for (const entry of writer.entriesFor(change)) {
      if (entry.type !== 'file' || entry.size === 0) {
        yield { entry };
        continue;
      }
      const hostPath = tree.hostPath(change.path);
      if (hostPath === undefined) throw new ImageError('layer', `the content of ${JSON.stringify(toText(change.path))} is not at hand`);
      yield { entry, hostPath };
    }
  }
}

class LayerWriter {
  readonly #options: WriteLayerOptions;
  readonly #written = new Set<string>();
  /** First path of each file with several names. */
  readonly #firstNames = new Map<number, string>();

  constructor(options: WriteLayerOptions) {
    this.#options = options;
  }

  *entriesFor(change: Change): Generator<TarEntry, void, void> {
    yield* this.#parentsOf(change.path);
    if (change.record === undefined) {
      yield marker(joinPath(parentOf(change.path), WHITEOUT_PREFIX + baseOf(change.path)));
      return;
    }
    const entry = this.#entry(change.path, change.record);
    if (entry === undefined) return;
    this.#written.add(change.path);
    yield entry;
    if (change.isOpaque === true) yield marker(joinPath(change.path, OPAQUE_MARKER));
  }

  *#parentsOf(path: string): Generator<TarEntry, void, void> {
    if (path === '') return;
    const parent = parentOf(path);
    if (parent === '' || this.#written.has(parent)) return;
    yield* this.#parentsOf(parent);
    this.#written.add(parent);
    const record = this.#options.parent(parent);
    const entry = record === undefined ? undefined : this.#entry(parent, record);
    if (entry !== undefined) yield entry;
  }

  /** Undefined for what no layer can hold. */
  #entry(path: string, record: FileRecord): TarEntry | undefined {
    const type = TYPES.get(record.mode & S_IFMT);
    if (type === undefined) return undefined;
    const device = record.xattrs.get(DEVICE_XATTR);
    const recorded = device === undefined ? undefined : decodeDevice(device);
    const first = type === 'directory' || record.linkCount < 2 ? undefined : this.#firstNames.get(record.inode);
    if (type !== 'directory' && record.linkCount > 1 && first === undefined) this.#firstNames.set(record.inode, path);
    const isLink = first !== undefined;
    return {
      path: entryPath(path, record),
      type: isLink ? 'hardlink' : type,
      mode: record.mode & 0o7777,
      uid: record.uid,
      gid: record.gid,
      userName: '',
      groupName: '',
      size: type === 'file' && !isLink ? record.size : 0,
      mtime: { seconds: this.#clamp(record.mtimeSeconds), nanoseconds: 0 },
      linkName: first ?? record.linkName,
      deviceMajor: record.nodeMajor,
      deviceMinor: record.nodeMinor,
      // A hard link is only a name; its file has the rest.
      xattrs: isLink ? new Map() : layerXattrs(record),
      ...(isLink ? {} : recorded),
    };
  }

  #clamp(seconds: number): number {
    return this.#options.epochSeconds === undefined ? seconds : Math.min(seconds, this.#options.epochSeconds);
  }
}

function entryPath(path: string, record: FileRecord): string {
  if (path === '') return './';
  return isDirectory(record) ? `${path}/` : path;
}

/** Sorted by the writer. What belongs to the host, not the image, stays out. */
function layerXattrs(record: FileRecord): ReadonlyMap<string, Buffer> {
  const isForeign = (name: string) => name === 'security.selinux' || name === DEVICE_XATTR || /^(?:trusted|user)\.overlay\./.test(name);
  return new Map([...record.xattrs].filter(([name]) => !isForeign(name)));
}

function marker(path: string): TarEntry {
  return {
    path,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    userName: '',
    groupName: '',
    size: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  };
}

function* contentOf(hostPath: string, { path, size }: TarEntry): Generator<Buffer, void, void> {
  const fd = openSync(Buffer.from(hostPath, 'latin1'), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let left = size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
      const read = readSync(fd, chunk);
      if (read === 0) throw new ImageError('layer', `${JSON.stringify(toText(path))} became shorter while it was read`);
      left -= read;
      yield chunk.subarray(0, read);
    }
  } finally {
    closeSync(fd);
  }
}

/** Whether a change is one a layer can hold; for listings, which leave the others out as well. */
export function isLayerChange(change: Change): boolean {
  return change.record === undefined || isFile(change.record) || TYPES.has(change.record.mode & S_IFMT);
}
