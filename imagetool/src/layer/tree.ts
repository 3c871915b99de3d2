/** A directory tree as a list of facts, for comparing two of them: a real directory, or facts written down earlier. */

import { readdirSync } from 'node:fs';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
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
    root: readRecord(sys, AT_FDCWD, hostRoot, options),
    hostPath: (path) => `${hostRoot}/${path}`,
    list: (path) => listDirectory(sys, path === '' ? hostRoot : `${hostRoot}/${path}`, options),
  };
}

export function isDirectory(record: FileRecord): boolean {
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
    return new Map(names.map((name) => [name, readRecord(sys, fd, name, options)]));
  } finally {
    tryCall(sys, 'close', fd);
  }
}

function readRecord(sys: Sys, at: number, name: string, options: RealTreeOptions): FileRecord {
  call(sys, 'statx', toText(name), at, pathArgument(name), AT_SYMLINK_NOFOLLOW, STATX_ALL, status);
  const mode = view.getUint16(28, true);
  const record = {
    linkCount: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode,
    inode: Number(view.getBigUint64(32, true)),
    size: (mode & S_IFMT) === S_IFDIR ? 0 : Number(view.getBigUint64(40, true)),
    changed: `${view.getBigInt64(96, true)}.${view.getUint32(104, true)}`,
    mtimeSeconds: Number(view.getBigInt64(112, true)),
    mtimeNanoseconds: view.getUint32(120, true),
    nodeMajor: view.getUint32(128, true),
    nodeMinor: view.getUint32(132, true),
  };
  const linkName = (mode & S_IFMT) === S_IFLNK ? readTarget(sys, at, name) : '';
  const xattrs = listXattrs(sys, at === AT_FDCWD ? name : `/proc/self/fd/${at}/${name}`);
  return options.isRootless ? withRecordedOwner({ ...record, linkName, xattrs }) : { ...record, linkName, xattrs };
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
