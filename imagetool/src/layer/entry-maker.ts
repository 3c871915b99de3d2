/** Makes what an entry describes, in place of whatever has its name. */

import { writeSync } from 'node:fs';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EEXIST, ENOENT, syscallError } from '../../../runtime/src/linux/errno.ts';
import {
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
} from '../../../runtime/src/linux/open-flags.ts';
import type { FileStatus } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import { type TarEntry, TarError } from '../archive/tar-entry.ts';
import type { LateDirectories } from './late-directories.ts';
import type { LowerLayers } from './lower-layers.ts';
import { clearXattrs, type MetadataWriter } from './metadata.ts';
import { baseOf, layerPath, parentOf, pathArgument } from './names.ts';
import { removeTree } from './remove.ts';
import type { OpenDirectory, RootDirectory } from './root-directory.ts';

export interface EntryMakerParts {
  readonly root: RootDirectory;
  readonly lower: LowerLayers;
  readonly metadata: MetadataWriter;
  readonly late: LateDirectories;
  readonly isRootless: boolean;
}

interface OpenFile {
  readonly fd: number;
  readonly entry: TarEntry;
  readonly isInGroupDirectory: boolean;
}

export class EntryMaker {
  readonly #sys: Sys;
  readonly #parts: EntryMakerParts;
  readonly #umask = process.umask();
  readonly #isRoot = process.geteuid?.() === 0 && process.getegid?.() === 0;
  #file: OpenFile | undefined;

  constructor(parts: EntryMakerParts) {
    this.#sys = parts.root.sys;
    this.#parts = parts;
  }

  make(path: string, entry: TarEntry): void {
    if (entry.type === 'directory') this.#makeDirectory(path, entry);
    else if (entry.type === 'file') this.#makeFile(path, entry);
    else if (entry.type === 'hardlink') this.#makeHardLink(path, entry);
    else if (entry.type !== 'symlink' && entry.type !== 'fifo' && this.#parts.isRootless) this.#makeFile(path, entry);
    else this.#makeSpecial(path, entry);
  }

  /** Content of the file made last. */
  write(bytes: Buffer, offset: number): void {
    if (this.#file === undefined) return;
    const isSparse = this.#file.entry.sparse !== undefined;
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.#file.fd, bytes, at, bytes.length - at, isSparse ? offset + at : null);
    }
  }

  /** Content of the file made last: that of another file, which need not be copied where the file system can share it. */
  copy(source: number, sizeBytes: number): void {
    if (this.#file === undefined) return;
    const { fd, entry } = this.#file;
    for (let left = sizeBytes; left > 0; ) {
      const copied = tryCall(this.#sys, 'copy_file_range', source, null, fd, null, left, 0);
      if (copied === 0) throw new TarError(`${JSON.stringify(toText(entry.path))} became shorter while it was copied`);
      if (copied < 0) throw syscallError({ syscall: 'copy_file_range', errno: -copied, object: toText(entry.path) });
      left -= copied;
    }
  }

  /** No more content. Only now does the file get its owner, mode and xattrs: writing takes away set-uid bits and capabilities. */
  end(): void {
    if (this.#file === undefined) return;
    const { fd, entry, isInGroupDirectory } = this.#file;
    if (entry.sparse !== undefined) call(this.#sys, 'ftruncate', toText(entry.path), fd, entry.size);
    this.#parts.metadata.setOpen(fd, entry, {
      // A new file has our owner, unless its directory passes on its group.
      isOwned: entry.uid === 0 && entry.gid === 0 && this.#isRoot && !isInGroupDirectory,
      isModed: entry.mode <= 0o777 && (entry.mode & this.#umask) === 0,
    });
    this.#parts.metadata.setTimes(fd, null, entry.mtime);
    this.close();
  }

  /** For an end in the middle of a file. */
  close(): void {
    if (this.#file !== undefined) tryCall(this.#sys, 'close', this.#file.fd);
    this.#file = undefined;
  }

  /** Gives an open directory what the entry says. */
  mergeDirectory(path: string, fd: number, entry: TarEntry): void {
    this.#parts.metadata.setOpen(fd, entry, { isOwned: false, isModed: false });
    const deniesOwner = this.#parts.isRootless && (entry.mode & 0o700) !== 0o700;
    if (deniesOwner) call(this.#sys, 'fchmod', toText(path), fd, entry.mode | 0o700);
    this.#parts.late.set(path, { mtime: entry.mtime, ...(deniesOwner ? { mode: entry.mode } : {}) });
  }

  #makeFile(path: string, entry: TarEntry): void {
    const mode = entry.mode & 0o777;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW(this.#sys.arch) | O_CLOEXEC;
    const name = pathArgument(baseOf(path));
    let isInGroupDirectory = false;
    const fd = this.#create(path, (parent) => {
      isInGroupDirectory = (parent.mode & 0o2000) !== 0;
      return tryCall(this.#sys, 'openat', parent.fd, name, flags, mode);
    });
    this.#file = { fd, entry, isInGroupDirectory };
  }

  #makeDirectory(path: string, entry: TarEntry): void {
    const parent = this.#parts.root.require(parentOf(path));
    const result = tryCall(this.#sys, 'mkdirat', parent.fd, pathArgument(baseOf(path)), 0o700);
    if (result < 0 && result !== -EEXIST) throw syscallError({ syscall: 'mkdirat', errno: -result, object: toText(path) });
    let fd = this.#parts.root.openChild(parent, baseOf(path));
    if (fd !== undefined && result === -EEXIST) clearXattrs(this.#sys, fd);
    fd ??= this.#replaceByDirectory(path);
    this.#parts.root.adopt(path, { fd, mode: entry.mode });
    this.mergeDirectory(path, fd, entry);
  }

  /** Something that is no directory has the name. Returns the new directory, open. */
  #replaceByDirectory(path: string): number {
    const status = this.#parts.root.status(this.#parts.root.require(parentOf(path)), baseOf(path));
    this.#makeWay(path);
    const parent = this.#parts.root.require(parentOf(path));
    call(this.#sys, 'mkdirat', toText(path), parent.fd, pathArgument(baseOf(path)), 0o700);
    // The lower layers' directory of that name stays removed.
    if (status !== undefined && this.#parts.lower.isMark(status, path)) this.#parts.lower.clear(path);
    const fd = this.#parts.root.openChild(parent, baseOf(path));
    if (fd === undefined) throw syscallError({ syscall: 'openat', errno: ENOENT, object: toText(path) });
    return fd;
  }

  #makeHardLink(path: string, entry: TarEntry): void {
    const source = layerPath(entry.linkName);
    // A link to itself, by whatever path, must not remove its own content first.
    if (this.#isSameFile(path, this.#statusOf(source, entry))) return;
    this.#create(path, () => {
      const from = this.#parts.root.find(parentOf(source));
      // Opened last, and by name again: neither may be closed by the other's opening, as both are in use.
      const to = this.#parts.root.require(parentOf(path));
      return from === undefined
        ? -ENOENT
        : tryCall(this.#sys, 'linkat', from.fd, pathArgument(baseOf(source)), to.fd, pathArgument(baseOf(path)), 0);
    });
  }

  #statusOf(source: string, entry: TarEntry): FileStatus {
    const parent = source === '' ? undefined : this.#parts.root.find(parentOf(source));
    const status = parent === undefined ? undefined : this.#parts.root.status(parent, baseOf(source));
    if (status !== undefined && (status.mode & S_IFMT) !== S_IFDIR) return status;
    throw new TarError(
      `${JSON.stringify(toText(entry.path))} is a hard link to ${JSON.stringify(toText(entry.linkName))}, which is no file in the tree`,
    );
  }

  #isSameFile(path: string, source: FileStatus): boolean {
    const parent = this.#parts.root.find(parentOf(path));
    const target = parent === undefined ? undefined : this.#parts.root.status(parent, baseOf(path));
    return (
      target !== undefined &&
      target.inode === source.inode &&
      target.deviceMajor === source.deviceMajor &&
      target.deviceMinor === source.deviceMinor
    );
  }

  #makeSpecial(path: string, entry: TarEntry): void {
    const name = pathArgument(baseOf(path));
    // overlayfs would take it for a whiteout, and a whiteout has another form in a layer.
    if (this.#parts.lower.isMark({ mode: nodeFormat(entry), nodeMajor: entry.deviceMajor, nodeMinor: entry.deviceMinor })) {
      throw new TarError(`${JSON.stringify(toText(path))} is the device 0:0`);
    }
    this.#create(path, ({ fd }) =>
      entry.type === 'symlink'
        ? tryCall(this.#sys, 'symlinkat', pathArgument(entry.linkName), fd, name)
        : tryCall(this.#sys, 'mknodat', fd, name, nodeFormat(entry) | (entry.mode & 0o777), nodeNumber(entry)),
    );
    this.#parts.metadata.setNamed(this.#parts.root.require(parentOf(path)).fd, baseOf(path), entry);
  }

  /** Makes something new by a name, removing what has the name. */
  #create(path: string, make: (parent: OpenDirectory) => number): number {
    let result = make(this.#parts.root.require(parentOf(path)));
    if (result === -EEXIST) {
      this.#makeWay(path);
      result = make(this.#parts.root.require(parentOf(path)));
    }
    if (result < 0) throw syscallError({ syscall: 'create', errno: -result, object: toText(path) });
    return result;
  }

  #makeWay(path: string): void {
    removeTree(this.#sys, this.#parts.root.require(parentOf(path)).fd, baseOf(path));
    this.#parts.root.forget();
    this.#parts.late.forget(path);
  }
}

function nodeFormat(entry: TarEntry): number {
  if (entry.type === 'character') return S_IFCHR;
  return entry.type === 'block' ? S_IFBLK : S_IFIFO;
}

/** The kernel's coding of a device number in 32 bits (include/linux/kdev_t.h, new_encode_dev). */
function nodeNumber({ path, type, deviceMajor, deviceMinor }: TarEntry): number {
  if (type === 'fifo') return 0;
  if (deviceMajor > 0xfff || deviceMinor > 0xfffff) {
    throw new TarError(`${JSON.stringify(toText(path))} is a device with numbers Linux does not have, ${deviceMajor}:${deviceMinor}`);
  }
  // overlayfs would take it for a whiteout, and a whiteout has another form in a layer.
  if (type === 'character' && deviceMajor === 0 && deviceMinor === 0)
    throw new TarError(`${JSON.stringify(toText(path))} is the device 0:0`);
  return ((deviceMinor & 0xff) | (deviceMajor << 8) | ((deviceMinor & 0xfff00) << 12)) >>> 0;
}
