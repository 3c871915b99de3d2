/** Where selected files go in the tree below: as changes, from which a layer is written. Symbolic links of the image lead to places inside it. */

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../../../runtime/src/linux/open-flags.ts';
import { fromText, toText } from '../../archive/byte-string.ts';
import { ImageError } from '../../base/errors.ts';
import { type Change, compareChanges } from '../../layer/changes.ts';
import { baseOf, joinPath, parentOf } from '../../layer/names.ts';
import { type FileRecord, isDirectory, type Tree } from '../../layer/tree.ts';
import { missingFrom, resolvePath, type SearchableTree } from '../../snapshot/stacked-tree.ts';
import type { Selection } from './select.ts';

/** Files from one place. */
export interface Delivery {
  readonly tree: Tree;
  readonly selections: readonly Selection[];
  /** Owners, xattrs and hard links of the machine say nothing: files are root's. */
  readonly isForeign: boolean;
}

export interface PlaceOptions {
  readonly lower: SearchableTree;
  readonly deliveries: readonly Delivery[];
  /** Absolute; one that ends in `/` is a directory. */
  readonly destination: string;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly changeMode?: (mode: number, isDirectory: boolean) => number;
  /** Of directories that nothing describes. */
  readonly nowSeconds: number;
}

export interface PlacedFiles {
  readonly changes: readonly Change[];
  readonly tree: Tree;
  readonly parent: (path: string) => FileRecord | undefined;
}

/** Throws ImageError `copy-target` where a file and a directory are in each other's way. */
export function placeFiles(options: PlaceOptions): PlacedFiles {
  return new Placer(options).run();
}

export interface DirectoryOptions {
  readonly lower: SearchableTree;
  /** Absolute. */
  readonly path: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly nowSeconds: number;
}

/** The directory and those above it, where they are missing. Throws ImageError `copy-target` where something else is there. */
export function directoriesFor({ lower, path, owner, nowSeconds }: DirectoryOptions): PlacedFiles {
  const { path: real, record } = resolvePath(lower, fromText(path), { follow: true });
  if (record !== undefined && !isDirectory(record)) throw new ImageError('copy-target', `/${toText(real)} in the image is no directory`);
  const changes: Change[] = missingFrom(lower, real).missing.map((_, index, names) => ({
    kind: 'add',
    path: real
      .split('/')
      .slice(0, real.split('/').length - names.length + index + 1)
      .join('/'),
    record: directoryRecord(owner, nowSeconds),
  }));
  return { changes, tree: { root: lower.root, list: () => new Map(), hostPath: () => undefined }, parent: (at) => lower.find(at) };
}

class Placer {
  readonly #options: PlaceOptions;
  readonly #records = new Map<string, FileRecord>();
  readonly #hostPaths = new Map<string, string>();
  /** Directories of the image that a path leads to by links. */
  readonly #real = new Map<string, string>();

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  run(): PlacedFiles {
    const { deliveries, destination, lower } = this.#options;
    const root = resolvePath(lower, fromText(destination), { follow: true });
    const count = deliveries.reduce((sum, { selections }) => sum + selections.length, 0);
    const isThere = root.record !== undefined && isDirectory(root.record);
    const isDirectoryWanted = destination.endsWith('/') || isThere || count > 1;
    if (root.record !== undefined && !isThere && isDirectoryWanted && count > 0) throw this.#inTheWay(root.path, 'is no directory');
    for (const { tree, selections, isForeign } of deliveries) {
      for (const selection of selections) this.#place(selection, { tree, isForeign, root: root.path, isDirectoryWanted });
    }
    const changes = Array.from(this.#records, ([path, record]): Change => ({ kind: 'add', path, record })).sort(compareChanges);
    return {
      changes,
      tree: { root: lower.root, list: () => new Map(), hostPath: (path) => this.#hostPaths.get(path) },
      parent: (path) => lower.find(path),
    };
  }

  #place(
    { files, isFile }: Selection,
    to: { readonly tree: Tree; readonly isForeign: boolean; readonly root: string; readonly isDirectoryWanted: boolean },
  ): void {
    for (const file of files) {
      const target = isFile && !to.isDirectoryWanted ? '' : file.target;
      const path = this.#realPath(target === '' ? to.root : joinPath(to.root, target));
      if (isDirectory(file.record)) this.#putDirectory(path, file.record, { isForeign: to.isForeign, isRoot: target === '' });
      else this.#putFile(path, file.record, { isForeign: to.isForeign, hostPath: to.tree.hostPath(file.path) });
    }
  }

  /** The path with the image's links to directories followed, in all but the last component. */
  #realPath(path: string): string {
    const parent = parentOf(path);
    if (parent === '') return path;
    let real = this.#real.get(parent);
    if (real === undefined) {
      real = this.#followed(this.#realPath(parent));
      this.#real.set(parent, real);
    }
    return joinPath(real, baseOf(path));
  }

  #followed(directory: string): string {
    if (this.#records.has(directory)) return directory;
    const record = this.#options.lower.find(directory);
    if (record === undefined || (record.mode & S_IFMT) !== S_IFLNK) return directory;
    const resolved = resolvePath(this.#options.lower, directory, { follow: true });
    return resolved.record !== undefined && isDirectory(resolved.record) ? resolved.path : directory;
  }

  #putDirectory(path: string, record: FileRecord, { isForeign, isRoot }: { isForeign: boolean; isRoot: boolean }): void {
    if (path === '') return;
    const real = this.#followed(path);
    const there = this.#records.get(real) ?? this.#options.lower.find(real);
    if (there !== undefined && !isDirectory(there)) throw this.#inTheWay(real, 'is no directory');
    // The directory that the files go into keeps what it is.
    if (there !== undefined && (isRoot || real !== path)) return;
    this.#makeParents(real);
    this.#records.set(real, this.#changed(record, isForeign));
  }

  #putFile(path: string, record: FileRecord, { isForeign, hostPath }: { isForeign: boolean; hostPath: string | undefined }): void {
    const there = this.#records.get(path) ?? this.#options.lower.find(path);
    if (there !== undefined && isDirectory(there)) throw this.#inTheWay(path, 'is a directory');
    this.#makeParents(path);
    this.#records.set(path, this.#changed(record, isForeign));
    if (hostPath !== undefined) this.#hostPaths.set(path, hostPath);
  }

  #makeParents(path: string): void {
    const parent = parentOf(path);
    if (parent === '' || this.#records.has(parent)) return;
    const there = this.#options.lower.find(parent);
    if (there !== undefined) {
      if (!isDirectory(there)) throw this.#inTheWay(parent, 'is no directory');
      return;
    }
    this.#makeParents(parent);
    this.#records.set(parent, directoryRecord(this.#options.owner, this.#options.nowSeconds));
  }

  #changed(record: FileRecord, isForeign: boolean): FileRecord {
    const { owner, changeMode } = this.#options;
    const isLink = (record.mode & S_IFMT) === S_IFLNK;
    const mode = changeMode === undefined || isLink ? record.mode & 0o7777 : changeMode(record.mode & 0o7777, isDirectory(record));
    return new ChangedRecord(record, {
      mode: (record.mode & S_IFMT) | mode,
      uid: owner?.uid ?? (isForeign ? 0 : record.uid),
      gid: owner?.gid ?? (isForeign ? 0 : record.gid),
      isForeign,
    });
  }

  #inTheWay(path: string, what: string): ImageError {
    return new ImageError('copy-target', `/${toText(path)} in the image ${what}`);
  }
}

/** A file as the image has it. Xattrs are read only when they are asked for. */
class ChangedRecord implements FileRecord {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly nodeMajor: number;
  readonly nodeMinor: number;
  readonly linkName: string;
  readonly linkCount: number;
  readonly inode: number;
  readonly changed: string;
  readonly #original: FileRecord;
  readonly #isForeign: boolean;

  constructor(original: FileRecord, change: { mode: number; uid: number; gid: number; isForeign: boolean }) {
    this.mode = change.mode;
    this.uid = change.uid;
    this.gid = change.gid;
    this.size = original.size;
    this.mtimeSeconds = original.mtimeSeconds;
    this.mtimeNanoseconds = original.mtimeNanoseconds;
    this.nodeMajor = original.nodeMajor;
    this.nodeMinor = original.nodeMinor;
    this.linkName = original.linkName;
    this.linkCount = change.isForeign ? 1 : original.linkCount;
    this.inode = original.inode;
    this.changed = original.changed;
    this.#original = original;
    this.#isForeign = change.isForeign;
  }

  get xattrs(): ReadonlyMap<string, Buffer> {
    return this.#isForeign ? NO_XATTRS : this.#original.xattrs;
  }
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

function directoryRecord(owner: PlaceOptions['owner'], mtimeSeconds: number): FileRecord {
  return plainRecord(S_IFDIR | 0o755, { ...(owner === undefined ? {} : { owner }), mtimeSeconds, size: 0 });
}

/** A regular file that nobody has on disk as it is to be. */
export function fileRecord(mode: number, size: number, mtimeSeconds: number): FileRecord {
  return plainRecord(S_IFREG | mode, { mtimeSeconds, size });
}

function plainRecord(mode: number, fields: { owner?: PlaceOptions['owner']; mtimeSeconds: number; size: number }): FileRecord {
  return {
    mode,
    uid: fields.owner?.uid ?? 0,
    gid: fields.owner?.gid ?? 0,
    size: fields.size,
    mtimeSeconds: fields.mtimeSeconds,
    mtimeNanoseconds: 0,
    nodeMajor: 0,
    nodeMinor: 0,
    linkName: '',
    linkCount: 1,
    inode: 0,
    changed: '',
    xattrs: NO_XATTRS,
  };
}
