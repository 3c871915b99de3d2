/**
 * A directory tree that is never left. Every path is resolved by the kernel with openat2(2), RESOLVE_IN_ROOT: symbolic links and `..` met on the way
 * lead to places inside the root, as they would after a chroot, whatever a layer has put there. The last component is always handled by name, beside
 * an open parent, and never followed.
 */

import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EAGAIN, EEXIST, ELOOP, ENOENT, ENOTDIR, syscallError } from '../../../runtime/src/linux/errno.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../../../runtime/src/linux/open-flags.ts';
import { decodeStatx, type FileStatus } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import { baseOf, parentOf, pathArgument } from './names.ts';

/** Directories kept open: entries of an archive come one directory after another. */
const MAX_OPEN = 128;
const MAX_ATTEMPTS = 1000;
const OPEN_HOW_BYTES = 24;
const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;

export interface OpenDirectory {
  readonly fd: number;
  /** Permission bits when it was opened. */
  readonly mode: number;
}

export interface RootDirectoryOptions {
  /** Called for each parent that had to be made because nothing said how it should be. */
  readonly onImplied?: (path: string) => void;
  /** Called for each directory that was there before and is opened for the first time, or again. */
  readonly onOpen?: (path: string, directory: OpenDirectory) => void;
}

/** Owns the root's descriptor and those it keeps open; `close` gives them back. */
export class RootDirectory {
  readonly sys: Sys;
  readonly #root: OpenDirectory;
  readonly #open = new Map<string, OpenDirectory>();
  readonly #how = new ArrayBuffer(OPEN_HOW_BYTES);
  readonly #status = new ArrayBuffer(STATX_BYTES);
  readonly #onImplied: (path: string) => void;
  readonly #onOpen: ((path: string, directory: OpenDirectory) => void) | undefined;

  /** `path` is a host path and is followed. Throws SyscallError. */
  constructor(sys: Sys, path: string, options: RootDirectoryOptions = {}) {
    this.sys = sys;
    this.#onImplied = options.onImplied ?? (() => undefined);
    this.#onOpen = options.onOpen;
    const how = new DataView(this.#how);
    how.setBigUint64(0, BigInt(O_RDONLY | O_DIRECTORY(sys.arch) | O_CLOEXEC), true);
    how.setBigUint64(16, BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), true);
    const fd = call(sys, 'openat', path, AT_FDCWD, path, O_RDONLY | O_DIRECTORY(sys.arch) | O_CLOEXEC, 0);
    this.#root = { fd, mode: this.#statFd(fd).mode & 0o7777 };
  }

  close(): void {
    this.forget();
    tryCall(this.sys, 'close', this.#root.fd);
  }

  /** Closes directories kept open. To be called when one, or a symbolic link, is removed: paths may now mean other places. */
  forget(): void {
    for (const { fd } of this.#open.values()) tryCall(this.sys, 'close', fd);
    this.#open.clear();
  }

  /** The directory at a path, open; undefined where there is none. The descriptor stays this object's, and is good until the next call. */
  find(path: string): OpenDirectory | undefined {
    if (path === '') return this.#root;
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const fd = this.#openInRoot(path);
    if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return undefined;
    if (fd < 0) throw syscallError({ syscall: 'openat2', errno: -fd, object: toText(path) });
    return this.#keep(path, fd);
  }

  /** As `find`, making what is missing, with mode 0755. Throws SyscallError where something else is in the way. */
  require(path: string): OpenDirectory {
    const found = this.find(path);
    if (found !== undefined) return found;
    const parent = this.require(parentOf(path));
    const result = tryCall(this.sys, 'mkdirat', parent.fd, pathArgument(baseOf(path)), 0o755);
    if (result < 0) throw syscallError({ syscall: 'mkdirat', errno: result === -EEXIST ? ENOTDIR : -result, object: toText(path) });
    this.#onImplied(path);
    const made = this.find(path);
    if (made === undefined) throw syscallError({ syscall: 'openat2', errno: ENOENT, object: toText(path) });
    return made;
  }

  /** Keeps a directory open that the caller has opened. It belongs to this object from now on. */
  adopt(path: string, directory: OpenDirectory): void {
    const old = this.#open.get(path);
    if (old !== undefined) tryCall(this.sys, 'close', old.fd);
    this.#open.delete(path);
    this.#open.set(path, directory);
    this.#evict();
  }

  /** Opens a directory by name, not following a link; undefined where there is none. The caller closes. */
  openChild(parent: OpenDirectory, name: string): number | undefined {
    const flags = O_RDONLY | O_DIRECTORY(this.sys.arch) | O_NOFOLLOW(this.sys.arch) | O_CLOEXEC;
    const fd = tryCall(this.sys, 'openat', parent.fd, pathArgument(name), flags, 0);
    if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return undefined;
    if (fd < 0) throw syscallError({ syscall: 'openat', errno: -fd, object: toText(name) });
    return fd;
  }

  /** What is there by a name, not following a link; undefined for nothing. */
  status(parent: OpenDirectory, name: string): FileStatus | undefined {
    const result = tryCall(this.sys, 'statx', parent.fd, pathArgument(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, this.#status);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw syscallError({ syscall: 'statx', errno: -result, object: toText(name) });
    return decodeStatx(this.#status);
  }

  #openInRoot(path: string): number {
    const argument = pathArgument(path);
    for (let attempt = 1; ; attempt += 1) {
      const fd = tryCall(this.sys, 'openat2', this.#root.fd, argument, this.#how, OPEN_HOW_BYTES);
      // A rename or mount anywhere on the system can make the kernel unsure of a `..`; it asks to try again.
      if (fd !== -EAGAIN || attempt === MAX_ATTEMPTS) return fd;
    }
  }

  #statFd(fd: number): FileStatus {
    call(this.sys, 'statx', '', fd, '', AT_EMPTY_PATH, STATX_BASIC_STATS, this.#status);
    return decodeStatx(this.#status);
  }

  #keep(path: string, fd: number): OpenDirectory {
    const directory = { fd, mode: this.#statFd(fd).mode & 0o7777 };
    this.#open.set(path, directory);
    this.#evict();
    this.#onOpen?.(path, directory);
    return directory;
  }

  #evict(): void {
    if (this.#open.size <= MAX_OPEN) return;
    for (const [path, { fd }] of this.#open) {
      this.#open.delete(path);
      tryCall(this.sys, 'close', fd);
      return;
    }
  }
}
