/**
 * What a bundle's tree was when it was unpacked, so that a later diff needs neither the layers nor a second copy: the facts of each file, among them
 * the inode's change time, which every change moves and nothing sets back.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { asDescriptor, type Descriptor } from '../../../specs/image/descriptor.ts';
import { isObject } from '../../../specs/image/shape.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import type { Change } from '../layer/changes.ts';
import { baseOf, joinPath, parentOf } from '../layer/names.ts';
import { type FileRecord, isDirectory, realTree, type Tree } from '../layer/tree.ts';

export interface BundleBase {
  readonly image: Descriptor;
  readonly name?: string;
  readonly isRootless: boolean;
}

const RECORD_NAME = '.tsimg.json';
const TREE_NAME = '.tsimg-tree.gz';

/** In an order of their own, since thirty thousand of them are to be read in a moment. */
type Facts = readonly [
  mode: number,
  uid: number,
  gid: number,
  size: number,
  mtimeSeconds: number,
  mtimeNanoseconds: number,
  nodeMajor: number,
  nodeMinor: number,
  linkName: string,
  linkCount: number,
  inode: number,
  changed: string,
];
/** Xattrs by name, in base64, if there are any. */
type Row = readonly [name: string, facts: Facts, xattrs?: Readonly<Record<string, string>>];
/** Rows by directory; the root's own row is under `/`, which no directory is called. */
type SavedTree = Record<string, Row[]>;

/** Writes down a bundle's tree as it is now. */
export function writeBundleRecord(sys: Sys, directory: string, base: BundleBase): void {
  const tree = realTree(sys, join(directory, 'rootfs'), { isRootless: base.isRootless });
  const saved: SavedTree = { '/': [rowOf('', tree.root)] };
  const visit = (path: string): void => {
    const rows: Row[] = [];
    for (const [name, record] of tree.list(path)) {
      rows.push(rowOf(name, record));
      if (isDirectory(record)) visit(joinPath(path, name));
    }
    saved[path] = rows;
  };
  visit('');
  save(directory, saved, base);
}

/** As writeBundleRecord, where all that has changed since the last time is known: the tree is not looked at again. */
export function updateBundleRecord(directory: string, changes: readonly Change[], base: BundleBase): void {
  const saved = readSaved(directory);
  for (const { path, record } of changes) {
    const rows = path === '' ? saved['/'] : saved[parentOf(path)];
    const name = baseOf(path);
    const at = (rows ?? []).findIndex((row) => row[0] === name);
    if (record === undefined || !isDirectory(record)) forgetDirectory(saved, path);
    if (at >= 0) rows?.splice(at, 1);
    if (record === undefined) continue;
    if (rows === undefined) saved[parentOf(path)] = [rowOf(name, record)];
    else rows.push(rowOf(name, record));
    if (isDirectory(record)) saved[path] ??= [];
  }
  save(directory, saved, base);
}

function forgetDirectory(saved: SavedTree, path: string): void {
  for (const [name, facts] of saved[path] ?? []) if (isDirectory({ mode: facts[0] })) forgetDirectory(saved, joinPath(path, name));
  delete saved[path];
}

function save(directory: string, saved: SavedTree, base: BundleBase): void {
  writeFileSync(join(directory, TREE_NAME), gzipSync(JSON.stringify(saved), { level: 1 }));
  writeFileSync(join(directory, RECORD_NAME), `${JSON.stringify(base)}\n`);
}

/** Whether this tool has made the bundle. */
export function isUnpacked(directory: string): boolean {
  return existsSync(join(directory, RECORD_NAME));
}

/** Throws ImageError `no-bundle` for a directory that this tool did not unpack. */
export function readBundleBase(directory: string): BundleBase {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, RECORD_NAME), 'utf8'));
    if (!isObject(value)) throw new ImageError('no-bundle', `${directory}/${RECORD_NAME} is damaged`);
    const name = value['name'];
    return {
      image: asDescriptor(value['image'], 'image'),
      isRootless: value['isRootless'] === true,
      ...(typeof name === 'string' ? { name } : {}),
    };
  } catch (error) {
    if (!isNodeError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new ImageError('no-bundle', `${directory} is no bundle made by tsimg unpack`, { cause: error });
  }
}

/** The tree as it was. It has no contents. */
export function readBundleTree(directory: string): Tree {
  const saved = readSaved(directory);
  const list = (path: string) => new Map((saved[path] ?? []).map((row) => [row[0], recordOf(row)]));
  const root = saved['/']?.[0];
  if (root === undefined) throw new ImageError('no-bundle', `${directory}/${TREE_NAME} is damaged`);
  return { root: recordOf(root), list, hostPath: () => undefined };
}

function readSaved(directory: string): SavedTree {
  return JSON.parse(gunzipSync(readFileSync(join(directory, TREE_NAME))).toString('utf8')) as SavedTree;
}

function rowOf(name: string, record: FileRecord): Row {
  const facts: Facts = [
    record.mode,
    record.uid,
    record.gid,
    record.size,
    record.mtimeSeconds,
    record.mtimeNanoseconds,
    record.nodeMajor,
    record.nodeMinor,
    record.linkName,
    record.linkCount,
    record.inode,
    record.changed,
  ];
  if (record.xattrs.size === 0) return [name, facts];
  return [name, facts, Object.fromEntries([...record.xattrs].map(([key, value]) => [key, value.toString('base64')]))];
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

function recordOf([, facts, xattrs]: Row): FileRecord {
  return {
    mode: facts[0],
    uid: facts[1],
    gid: facts[2],
    size: facts[3],
    mtimeSeconds: facts[4],
    mtimeNanoseconds: facts[5],
    nodeMajor: facts[6],
    nodeMinor: facts[7],
    linkName: facts[8],
    linkCount: facts[9],
    inode: facts[10],
    changed: facts[11],
    xattrs: xattrs === undefined ? NO_XATTRS : new Map(Object.entries(xattrs).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  };
}
