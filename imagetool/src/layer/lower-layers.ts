/**
 * Taking away what lower layers have. In the same layer, a whiteout may come before or after what replaces the thing it removes: it acts on lower
 * layers only, wherever it stands.
 */

import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EEXIST, syscallError } from '../../../runtime/src/linux/errno.ts';
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, S_IFCHR, S_IFDIR, S_IFMT } from '../../../runtime/src/linux/open-flags.ts';
import type { FileStatus } from '../../../runtime/src/linux/stat.ts';
import { toText } from '../archive/byte-string.ts';
import { joinPath, parentOf, pathArgument } from './names.ts';
import { namesIn, removeTree } from './remove.ts';
import type { OpenDirectory, RootDirectory } from './root-directory.ts';

/**
 * `remove`: the tree holds the lower layers, and loses files. `overlay` and `overlay-user`: the tree is this layer alone, and gets the marks overlayfs
 * knows, the latter with the xattrs of mounts made with `userxattr`, which need no privilege. `marked`: the same marks, for file systems that are no
 * place for character devices 0/0, as overlayfs itself: empty files with an xattr, as newer kernels have them.
 */
export type WhiteoutStyle = 'remove' | 'overlay' | 'overlay-user' | 'marked';

export interface LowerLayers {
  /** The layer itself has this path: it and its parents are not the lower layers' any more. */
  touch(path: string): void;
  /** Removes what lower layers have by this name. */
  remove(parentPath: string, name: string): void;
  /** Removes all that lower layers have in a directory. */
  clear(path: string): void;
  /** Whether what is there is the mark of a removed file. Without a path: whether it would be one. */
  isMark(status: Pick<FileStatus, 'mode' | 'nodeMajor' | 'nodeMinor'>, path?: string): boolean;
}

export function lowerLayers(root: RootDirectory, style: WhiteoutStyle): LowerLayers {
  return style === 'remove' ? new MergedLayers(root) : new SeparateLayers(root, style);
}

class MergedLayers implements LowerLayers {
  readonly #root: RootDirectory;
  readonly #touched = new Set<string>();

  constructor(root: RootDirectory) {
    this.#root = root;
  }

  touch(path: string): void {
    for (let at = path; at !== '' && !this.#touched.has(at); at = parentOf(at)) this.#touched.add(at);
  }

  remove(parentPath: string, name: string): void {
    const parent = this.#root.find(parentPath);
    if (parent === undefined) return;
    const path = joinPath(parentPath, name);
    if (!this.#touched.has(path)) this.#removeName(parent, name);
    else if (isDirectory(this.#root.status(parent, name))) this.clear(path);
  }

  clear(path: string): void {
    const directory = this.#root.find(path);
    if (directory === undefined) return;
    for (const name of namesIn(directory.fd)) {
      // Looked up each time: a removal closes what is open.
      const current = this.#root.find(path);
      if (current === undefined) return;
      const child = joinPath(path, name);
      if (!this.#touched.has(child)) this.#removeName(current, name);
      else if (isDirectory(this.#root.status(current, name))) this.clear(child);
    }
  }

  isMark(): boolean {
    return false;
  }

  #removeName(parent: OpenDirectory, name: string): void {
    if (removeTree(this.#root.sys, parent.fd, name)) this.#root.forget();
  }
}

class SeparateLayers implements LowerLayers {
  readonly #root: RootDirectory;
  readonly #namespace: 'trusted' | 'user';
  readonly #isMarked: boolean;
  /** Paths of empty files that are marks. */
  readonly #markFiles = new Set<string>();

  constructor(root: RootDirectory, style: WhiteoutStyle) {
    this.#root = root;
    this.#namespace = style === 'overlay' ? 'trusted' : 'user';
    this.#isMarked = style === 'marked';
  }

  touch(path: string): void {
    this.#markFiles.delete(path);
  }

  remove(parentPath: string, name: string): void {
    const parent = this.#root.require(parentPath);
    const path = joinPath(parentPath, name);
    const result = this.#isMarked ? this.#markFile(parent, name) : this.#markDevice(parent, name);
    if (result >= 0) {
      if (this.#isMarked) this.#markFiles.add(path);
      return;
    }
    if (result !== -EEXIST) throw syscallError({ syscall: this.#isMarked ? 'openat' : 'mknodat', errno: -result, object: toText(path) });
    if (isDirectory(this.#root.status(parent, name))) this.clear(path);
  }

  clear(path: string): void {
    this.#say(this.#root.require(path).fd, 'opaque', path);
  }

  /** A character device 0/0. Since Linux 5.8 making one needs no privilege. */
  #markDevice(parent: OpenDirectory, name: string): number {
    return tryCall(this.#root.sys, 'mknodat', parent.fd, pathArgument(name), S_IFCHR, 0);
  }

  #markFile(parent: OpenDirectory, name: string): number {
    const { sys } = this.#root;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW(sys.arch) | O_CLOEXEC;
    const fd = tryCall(sys, 'openat', parent.fd, pathArgument(name), flags, 0o600);
    if (fd < 0) return fd;
    try {
      this.#say(fd, 'whiteout', name);
    } finally {
      tryCall(sys, 'close', fd);
    }
    return 0;
  }

  #say(fd: number, what: 'opaque' | 'whiteout', object: string): void {
    const yes = new ArrayBuffer(1);
    new Uint8Array(yes)[0] = 'y'.charCodeAt(0);
    call(this.#root.sys, 'fsetxattr', toText(object), fd, `${this.#namespace}.overlay.${what}`, yes, 1, 0);
  }

  isMark(status: Pick<FileStatus, 'mode' | 'nodeMajor' | 'nodeMinor'>, path?: string): boolean {
    if (path !== undefined && this.#markFiles.has(path)) return true;
    return (status.mode & S_IFMT) === S_IFCHR && status.nodeMajor === 0 && status.nodeMinor === 0;
  }
}

function isDirectory(status: FileStatus | undefined): boolean {
  return status !== undefined && (status.mode & S_IFMT) === S_IFDIR;
}
