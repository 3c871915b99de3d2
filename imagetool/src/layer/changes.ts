/** What is different between two trees, as a layer says it. */

import { closeSync, openSync, readSync } from 'node:fs';
import { joinPath } from './names.ts';
import { type FileRecord, isDirectory, isFile, type Tree } from './tree.ts';

export type ChangeKind = 'add' | 'modify' | 'delete';

export interface Change {
  readonly kind: ChangeKind;
  /** Byte string, relative to the root; empty for the root itself. */
  readonly path: string;
  /** The file as it is now; absent for a deletion. */
  readonly record?: FileRecord;
  /** Size of a regular file before. */
  readonly oldSize?: number;
  /** Only for a directory: nothing lower layers have in it is left. */
  readonly isOpaque?: boolean;
}

/**
 * Changes that make `upper` of `lower`, parents before children, deletions in a directory before what is new in it. A removed tree is one deletion.
 * Modification times of directories alone are no change. Hard links: if any name of a file is new or changed, all its names are.
 */
export function diffTrees(lower: Tree, upper: Tree): Change[] {
  const walk = new Walk(lower, upper);
  walk.compareRoots();
  return walk.finish();
}

/** The sum of the lengths of regular files that are new or changed; a file with several names counts once. */
export function lengthOfChanges(changes: readonly Change[]): number {
  const files = changes.flatMap(({ record }) => (record !== undefined && isFile(record) ? [record] : []));
  return [...new Map(files.map((record) => [record.inode, record])).values()].reduce((sum, { size }) => sum + size, 0);
}

class Walk {
  readonly #lower: Tree;
  readonly #upper: Tree;
  readonly #changes = new Map<string, Change>();
  readonly #lowerLinks = new LinkGroups();
  readonly #upperLinks = new LinkGroups();

  constructor(lower: Tree, upper: Tree) {
    this.#lower = lower;
    this.#upper = upper;
  }

  compareRoots(): void {
    if (!hasSameMetadata(this.#lower.root, this.#upper.root)) this.#add({ kind: 'modify', path: '', record: this.#upper.root });
    this.#compareDirectory('');
  }

  finish(): Change[] {
    for (const group of this.#upperLinks.groups()) {
      const isSame = group.every(({ path }) => this.#lowerLinks.sameGroup(path, group));
      if (isSame && !group.some(({ path }) => this.#changes.has(path))) continue;
      for (const { path, record } of group) if (!this.#changes.has(path)) this.#add({ kind: 'modify', path, record, oldSize: record.size });
    }
    // A name that has left its group is a file of its own now.
    for (const group of this.#lowerLinks.groups()) {
      for (const { path } of group) this.#separate(path, group);
    }
    return [...this.#changes.values()].sort(compareChanges);
  }

  #separate(path: string, group: readonly Linked[]): void {
    const now = this.#upperLinks.recordOf(path) ?? this.#singles.get(path);
    if (now !== undefined && !this.#changes.has(path) && !this.#upperLinks.sameGroup(path, group)) {
      this.#add({ kind: 'modify', path, record: now, oldSize: now.size });
    }
  }

  /** Unchanged files with one name that had several below. */
  readonly #singles = new Map<string, FileRecord>();

  #compareDirectory(path: string): void {
    const before = this.#lower.list(path);
    const now = this.#upper.list(path);
    for (const [name, record] of before) if (!now.has(name)) this.#remove(joinPath(path, name), record);
    for (const [name, record] of now) {
      const old = before.get(name);
      const child = joinPath(path, name);
      if (old === undefined) this.#addTree(child, record);
      else this.#compareFile(child, old, record);
    }
  }

  #compareFile(path: string, old: FileRecord, record: FileRecord): void {
    if (old.linkCount > 1 && !isDirectory(old)) this.#lowerLinks.add(path, old);
    if (old.linkCount > 1 && record.linkCount === 1) this.#singles.set(path, record);
    if (isDirectory(old) && isDirectory(record)) {
      if (!hasSameMetadata(old, record)) this.#add({ kind: 'modify', path, record });
      this.#compareDirectory(path);
    } else if (isDirectory(record)) this.#addTree(path, record, 'modify');
    else {
      if (record.linkCount > 1) this.#upperLinks.add(path, record);
      if (!this.#isSame(path, old, record)) this.#add({ kind: 'modify', path, record, ...(isFile(old) ? { oldSize: old.size } : {}) });
    }
  }

  #addTree(path: string, record: FileRecord, kind: ChangeKind = 'add'): void {
    this.#add({ kind, path, record });
    if (!isDirectory(record)) {
      if (record.linkCount > 1) this.#upperLinks.add(path, record);
      return;
    }
    for (const [name, child] of this.#upper.list(path)) this.#addTree(joinPath(path, name), child);
  }

  #remove(path: string, old: FileRecord): void {
    this.#add({ kind: 'delete', path, ...(isFile(old) ? { oldSize: old.size } : {}) });
    if (!isDirectory(old) && old.linkCount > 1) this.#lowerLinks.add(path, old);
  }

  #add(change: Change): void {
    this.#changes.set(change.path, change);
  }

  #isSame(path: string, old: FileRecord, record: FileRecord): boolean {
    // The same inode, not touched since: also where times were set back by hand.
    if (old.inode === record.inode && old.changed === record.changed) return true;
    if (!hasSameMetadata(old, record) || old.size !== record.size || old.linkName !== record.linkName) return false;
    if (old.mtimeSeconds !== record.mtimeSeconds) return false;
    if (!isFile(record)) return true;
    // Times in archives have no fraction: a change within that second would not be seen by the time.
    const isExact = old.mtimeNanoseconds !== 0 && record.mtimeNanoseconds !== 0;
    if (isExact) return old.mtimeNanoseconds === record.mtimeNanoseconds;
    return hasSameContent(this.#lower.hostPath(path), this.#upper.hostPath(path));
  }
}

function hasSameMetadata(a: FileRecord, b: FileRecord): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.nodeMajor === b.nodeMajor &&
    a.nodeMinor === b.nodeMinor &&
    hasSameXattrs(a, b)
  );
}

function hasSameXattrs({ xattrs: a }: FileRecord, { xattrs: b }: FileRecord): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value) === true);
}

const COMPARE_BYTES = 1024 * 1024;

/** Files that are not at hand any more count as the same: size and time agree. */
function hasSameContent(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  const [fdA, fdB] = [openSync(Buffer.from(a, 'latin1'), 'r'), openSync(Buffer.from(b, 'latin1'), 'r')];
  try {
    const [chunkA, chunkB] = [Buffer.allocUnsafe(COMPARE_BYTES), Buffer.allocUnsafe(COMPARE_BYTES)];
    for (;;) {
      const readA = readSync(fdA, chunkA);
      const readB = readSync(fdB, chunkB);
      if (readA !== readB || !chunkA.subarray(0, readA).equals(chunkB.subarray(0, readB))) return false;
      if (readA === 0) return true;
    }
  } finally {
    closeSync(fdA);
    closeSync(fdB);
  }
}

interface Linked {
  readonly path: string;
  readonly record: FileRecord;
}

/** Files with several names, by inode. */
class LinkGroups {
  readonly #byInode = new Map<number, Linked[]>();
  readonly #byPath = new Map<string, Linked>();

  add(path: string, record: FileRecord): void {
    const group = this.#byInode.get(record.inode) ?? [];
    group.push({ path, record });
    this.#byInode.set(record.inode, group);
    this.#byPath.set(path, { path, record });
  }

  groups(): Iterable<readonly Linked[]> {
    return this.#byInode.values();
  }

  recordOf(path: string): FileRecord | undefined {
    return this.#byPath.get(path)?.record;
  }

  /** Whether the path's group here has exactly the paths of another group. */
  sameGroup(path: string, other: readonly Linked[]): boolean {
    const record = this.recordOf(path);
    const own = record === undefined ? [] : (this.#byInode.get(record.inode) ?? []);
    return own.length === other.length && other.every((one) => own.some((mine) => mine.path === one.path));
  }
}

/** By components, bytewise; among siblings deletions first. */
export function compareChanges(a: Change, b: Change): number {
  const [partsA, partsB] = [a.path.split('/'), b.path.split('/')];
  for (let at = 0; at < Math.min(partsA.length, partsB.length); at += 1) {
    const [partA = '', partB = ''] = [partsA[at], partsB[at]];
    if (partA === partB) continue;
    const deletesA = a.kind === 'delete' && at === partsA.length - 1;
    const deletesB = b.kind === 'delete' && at === partsB.length - 1;
    if (deletesA !== deletesB) return deletesA ? -1 : 1;
    return partA < partB ? -1 : 1;
  }
  return partsA.length - partsB.length;
}
