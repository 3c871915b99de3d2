/**
 * What a bundle's tree was when it was unpacked, so that a later diff needs neither the layers nor a second copy: the facts of each file, among them
 * the inode's change time, which every change moves and nothing sets back.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { asDescriptor, type Descriptor } from '../../../specs/image/descriptor.ts';
import { isObject } from '../../../specs/image/shape.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { joinPath } from '../layer/names.ts';
import { type FileRecord, isDirectory, realTree, type Tree } from '../layer/tree.ts';

export interface BundleBase {
  readonly image: Descriptor;
  readonly name?: string;
  readonly isRootless: boolean;
}

const RECORD_NAME = '.tsimg.json';
const TREE_NAME = '.tsimg-tree.gz';

/** Xattr values in base64. */
type Row = readonly [name: string, facts: Omit<FileRecord, 'xattrs'>, xattrs: Readonly<Record<string, string>>];
type SavedTree = Record<string, Row[]>;

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
  writeFileSync(join(directory, TREE_NAME), gzipSync(JSON.stringify(saved), { level: 1 }));
  writeFileSync(join(directory, RECORD_NAME), `${JSON.stringify(base)}\n`);
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
  const saved = JSON.parse(gunzipSync(readFileSync(join(directory, TREE_NAME))).toString('utf8')) as SavedTree;
  const list = (path: string) => new Map((saved[path] ?? []).map((row) => [row[0], recordOf(row)]));
  const root = saved['/']?.[0];
  if (root === undefined) throw new ImageError('no-bundle', `${directory}/${TREE_NAME} is damaged`);
  return { root: recordOf(root), list, hostPath: () => undefined };
}

function rowOf(name: string, { xattrs, ...facts }: FileRecord): Row {
  return [name, facts, Object.fromEntries([...xattrs].map(([key, value]) => [key, value.toString('base64')]))];
}

function recordOf([, facts, xattrs]: Row): FileRecord {
  return { ...facts, xattrs: new Map(Object.entries(xattrs).map(([key, value]) => [key, Buffer.from(value, 'base64')])) };
}
