/** A directory tree as a list of facts, for comparing two of them: a real directory, or facts written down earlier. */

import { readdirSync } from 'node:fs';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { ENOENT, ENOTDIR, isErrno } from '../../../runtime/src/linux/errno.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import { pathArgument } from './names.ts';
import { DEVICE_XATTR, decodeOwner, OWNER_XATTR } from './rootless.ts';
import { listXattrs } from './xattrs.ts';

export interface FileRecord {
  /** Type and permissions, S_IF…. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Device a device node stands for. */
  readonly nodeMajor: number;
  readonly nodeMinor: number;
  /** Target of a symbolic link. Byte string. */
  readonly linkName: string;
  readonly linkCount: number;
  /** Of a file on this machine: the device it is on, as text. */
  readonly device?: string;
  /** Tells names of one file from names of equal files, within a tree. */
  readonly inode: number;
  /** Of the last change of the inode, in nanoseconds as text: changes with every change, and cannot be set. */
  readonly changed: string;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

export interface Tree {
  /** Files of a directory by name; only asked for paths that are directories. Empty path: the root. */
  list(path: string): ReadonlyMap<string, FileRecord>;
  /** The root directory itself. */
  readonly root: FileRecord;
  /** The bytes of a file, if the tree has them: a host path to open. */
  hostPath(path: string): string | undefined;
}

export interface RealTreeOptions {
  /** Take owners and devices from the xattrs in which a user without privileges keeps them. */
  readonly isRootless: boolean;
}

const STATX_ALL = 0xfff;
const AT_SYMLINK_NOFOLLOW = 0x100;
const status = new ArrayBuffer(256);
const view = new DataView(status);
const target = new ArrayBuffer(4096);

/** A directory on this machine. Nothing in it is followed; it must not change while it is read. */
export function realTree(sys: Sys, hostRoot: string, options: RealTreeOptions): Tree {
  return {
    root: readRecord(sys, { at: AT_FDCWD, name: hostRoot, hostPath: hostRoot }, options),
    hostPath: (path) => `${hostRoot}/${path}`,
    list: (path) => listDirectory(sys, path === '' ? hostRoot : `${hostRoot}/${path}`, options),
  };
}

/** A file by its host path, which is not followed; undefined where there is none. */
export function recordAt(sys: Sys, hostPath: string, options: RealTreeOptions): FileRecord | undefined {
  try {
    return readRecord(sys, { at: AT_FDCWD, name: hostPath, hostPath }, options);
  } catch (error) {
    if (isErrno(error, ENOENT, ENOTDIR)) return undefined;
    throw error;
  }
}

export function isDirectory(record: Pick<FileRecord, 'mode'>): boolean {
  return (record.mode & S_IFMT) === S_IFDIR;
}

export function isFile(record: FileRecord): boolean {
  return (record.mode & S_IFMT) === S_IFREG;
}

function listDirectory(sys: Sys, hostPath: string, options: RealTreeOptions): Map<string, FileRecord> {
  const flags = O_RDONLY | O_DIRECTORY(sys.arch) | O_NOFOLLOW(sys.arch) | O_CLOEXEC;
  const fd = call(sys, 'openat', toText(hostPath), AT_FDCWD, pathArgument(hostPath), flags, 0);
  try {
    const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }).sort();
    return new Map(names.map((name) => [name, readRecord(sys, { at: fd, name, hostPath: `${hostPath}/${name}` }, options)]));
  } finally {
    tryCall(sys, 'close', fd);
  }
}

interface Place {
  readonly at: number;
  readonly name: string;
  readonly hostPath: string;
}

function readRecord(sys: Sys, place: Place, options: RealTreeOptions): FileRecord {
  call(sys, 'statx', place.name, place.at, pathArgument(place.name), AT_SYMLINK_NOFOLLOW, STATX_ALL, status);
  const record = new RealRecord(sys, place);
  return options.isRootless ? withRecordedOwner(record) : record;
}

/** Made of what the last statx has left in `status`. A class, since there is one per file of an image. */
class RealRecord implements FileRecord {
  readonly linkCount = view.getUint32(16, true);
  readonly uid = view.getUint32(20, true);
  readonly gid = view.getUint32(24, true);
  readonly mode = view.getUint16(28, true);
  readonly inode = readUint64(32);
  readonly size: number;
  readonly changed = `${readInt64(96)}.${view.getUint32(104, true)}`;
  readonly mtimeSeconds = readInt64(112);
  readonly mtimeNanoseconds = view.getUint32(120, true);
  readonly nodeMajor = view.getUint32(128, true);
  readonly nodeMinor = view.getUint32(132, true);
  readonly device = `${view.getUint32(136, true)}:${view.getUint32(140, true)}`;
  readonly linkName: string;
  readonly #sys: Sys;
  readonly #hostPath: string;
  #xattrs: ReadonlyMap<string, Buffer> | undefined;

  constructor(sys: Sys, { at, name, hostPath }: Place) {
    const format = this.mode & S_IFMT;
    this.size = format === S_IFDIR ? 0 : readUint64(40);
    this.linkName = format === S_IFLNK ? readTarget(sys, at, name) : '';
    this.#sys = sys;
    this.#hostPath = hostPath;
  }

  /** Read when asked for: of a file that has not changed, nobody asks. */
  get xattrs(): ReadonlyMap<string, Buffer> {
    this.#xattrs ??= listXattrs(this.#sys, this.#hostPath);
    return this.#xattrs;
  }
}

/** Numbers are exact up to 2^53; BigInts for a hundred thousand files would cost more than the system calls. */
function readUint64(offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function readInt64(offset: number): number {
  return view.getInt32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function readTarget(sys: Sys, at: number, name: string): string {
  const length = call(sys, 'readlinkat', toText(name), at, pathArgument(name), target, target.byteLength);
  return Buffer.from(target, 0, length).toString('latin1');
}

/** Files without a record belong to the container's root. */
function withRecordedOwner(record: FileRecord): FileRecord {
  const recorded = record.xattrs.get(OWNER_XATTR);
  const owner = recorded === undefined ? undefined : decodeOwner(recorded);
  const xattrs = new Map([...record.xattrs].filter(([name]) => name !== OWNER_XATTR && (name !== DEVICE_XATTR || record.size === 0)));
  return { ...record, uid: owner?.uid ?? 0, gid: owner?.gid ?? 0, xattrs };
}
