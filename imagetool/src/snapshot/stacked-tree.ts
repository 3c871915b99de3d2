/**
 * The tree that overlayfs would show of unpacked layers, read without mounting anything: whiteouts and opaque directories are understood, symbolic
 * links lead to places inside the tree. Layers do not change, so what has been looked up stays true.
 */

import { S_IFDIR, S_IFLNK, S_IFMT } from '../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ImageError } from '../base/errors.ts';
import { baseOf, joinPath, parentOf } from '../layer/names.ts';
import { isWhiteout, OVERLAY_XATTR } from '../layer/overlay-changes.ts';
import { type FileRecord, isDirectory, type RealTreeOptions, realTree, recordAt, type Tree } from '../layer/tree.ts';

/** A tree in which single paths can be looked up. */
export interface SearchableTree extends Tree {
  /** What is at a path whose directories are no links; the last component is not followed. Undefined for nothing. */
  find(path: string): FileRecord | undefined;
}

/** As the kernel has it (MAXSYMLINKS). */
const MAX_LINKS = 40;

interface Found {
  readonly record: FileRecord;
  /** Where the file is; of a directory all directories that are merged, top first. */
  readonly hostPaths: readonly string[];
}

/** `layers`: host directories, top first. */
export function stackedTree(sys: Sys, layers: readonly string[], options: RealTreeOptions): SearchableTree {
  const known = new Map<string, Found | undefined>();
  const top = layers[0];
  known.set('', { record: top === undefined ? EMPTY_ROOT : rootRecord(sys, top, options), hostPaths: layers });
  const find = (path: string): Found | undefined => {
    if (known.has(path)) return known.get(path);
    const parent = find(parentOf(path));
    const found = parent === undefined || !isDirectory(parent.record) ? undefined : findIn(sys, parent, baseOf(path), options);
    known.set(path, found);
    return found;
  };
  return {
    root: known.get('')?.record ?? EMPTY_ROOT,
    find: (path) => find(path)?.record,
    hostPath: (path) => find(path)?.hostPaths[0],
    list: (path) => listMerged(sys, find(path)?.hostPaths ?? [], options),
  };
}

/** A directory of this machine as a searchable tree. */
export function searchableTree(sys: Sys, directory: string, options: RealTreeOptions): SearchableTree {
  const tree = realTree(sys, directory, options);
  return { ...tree, find: (path) => (path === '' ? tree.root : recordAt(sys, `${directory}/${path}`, options)) };
}

const EMPTY_ROOT: FileRecord = {
  mode: S_IFDIR | 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  nodeMajor: 0,
  nodeMinor: 0,
  linkName: '',
  linkCount: 2,
  inode: 0,
  changed: '',
  xattrs: new Map(),
};

function rootRecord(sys: Sys, directory: string, options: RealTreeOptions): FileRecord {
  return recordAt(sys, directory, options) ?? EMPTY_ROOT;
}

function findIn(sys: Sys, parent: Found, name: string, options: RealTreeOptions): Found | undefined {
  let first: FileRecord | undefined;
  const hostPaths: string[] = [];
  for (const directory of parent.hostPaths) {
    const hostPath = `${directory}/${name}`;
    const record = recordAt(sys, hostPath, options);
    if (record === undefined) continue;
    if (isWhiteout(record)) break;
    // A file below a directory is hidden by it, as is everything below a file.
    if (first !== undefined && !isDirectory(record)) break;
    first ??= withoutMarks(record);
    hostPaths.push(hostPath);
    if (!isDirectory(record) || isOpaque(record)) break;
  }
  return first === undefined ? undefined : { record: first, hostPaths };
}

function listMerged(sys: Sys, directories: readonly string[], options: RealTreeOptions): Map<string, FileRecord> {
  const merged = new Map<string, FileRecord>();
  const hidden = new Set<string>();
  for (const directory of directories) {
    for (const [name, record] of realTree(sys, directory, options).list('')) {
      if (merged.has(name) || hidden.has(name)) continue;
      if (isWhiteout(record)) hidden.add(name);
      else merged.set(name, withoutMarks(record));
    }
  }
  return merged;
}

/** As overlayfs shows it: what is its own is not seen. */
function withoutMarks(record: FileRecord): FileRecord {
  if (record.xattrs.size === 0) return record;
  return { ...record, xattrs: new Map([...record.xattrs].filter(([name]) => !OVERLAY_XATTR.test(name))) };
}

function isOpaque(record: FileRecord): boolean {
  const mark = record.xattrs.get('trusted.overlay.opaque') ?? record.xattrs.get('user.overlay.opaque');
  return mark?.toString('latin1') === 'y';
}

export interface Resolved {
  /** Of what is there; none of its components is a link. */
  readonly path: string;
  readonly record?: FileRecord;
}

/**
 * Where a path leads inside the tree, symbolic links followed as after a chroot; those of the last component only with `follow`. Where a directory
 * is missing, the rest of the path is taken by the letter. Throws ImageError `loop` for links that lead in circles.
 */
export function resolvePath(tree: SearchableTree, path: string, { follow }: { readonly follow: boolean }): Resolved {
  let at = '';
  let links = 0;
  const rest = path.split('/').reverse();
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = parentOf(at);
      continue;
    }
    const next = joinPath(at, name);
    const record = tree.find(next);
    const isLink = record !== undefined && (record.mode & S_IFMT) === S_IFLNK;
    if (!isLink || (!follow && rest.every((one) => one === ''))) {
      at = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new ImageError('loop', `${JSON.stringify(path)}: the links lead in circles`);
    if (record.linkName.startsWith('/')) at = '';
    rest.push(...record.linkName.split('/').reverse());
  }
  const record = at === '' ? tree.root : tree.find(at);
  return { path: at, ...(record === undefined ? {} : { record }) };
}

/** The path of a resolved directory that is there, and the names below it that are not. */
export function missingFrom(tree: SearchableTree, path: string): { readonly existing: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  let at = path;
  while (at !== '' && tree.find(at) === undefined) {
    missing.unshift(baseOf(at));
    at = parentOf(at);
  }
  return { existing: at, missing };
}
