/** One file or directory of a tree, under another name: what `cp` sends. */

import { diffTrees } from '../../../../imagetool/src/layer/changes.ts';
import type { FileRecord, Tree } from '../../../../imagetool/src/layer/tree.ts';
import { writeLayer } from '../../../../imagetool/src/layer/write.ts';

export interface SubtreeOptions {
  /** Its name in `tree`'s root, as a byte string; '' for all that is in the root. */
  readonly name: string;
  readonly newName: string;
  /** Who owns the copies; undefined: who owns the files. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

export function subtree(tree: Tree, { name, newName, owner }: SubtreeOptions): Tree {
  const original = (path: string) => (name === '' ? path : name + path.slice(newName.length));
  const owned = (record: FileRecord): FileRecord => (owner === undefined ? record : { ...record, xattrs: record.xattrs, ...owner });
  const allOwned = (records: ReadonlyMap<string, FileRecord>) => new Map([...records].map(([key, record]) => [key, owned(record)]));
  return {
    root: tree.root,
    list: (path) => {
      if (path !== '' || name === '') return allOwned(tree.list(original(path)));
      const record = tree.list('').get(name);
      return new Map(record === undefined ? [] : [[newName, owned(record)]]);
    },
    hostPath: (path) => tree.hostPath(original(path)),
  };
}

/** As a tar archive. Of the root itself it says nothing: the directory that is copied into stays as it is. */
export function archiveOf(tree: Tree): AsyncIterable<Uint8Array> {
  const nothing: Tree = { root: tree.root, list: () => new Map(), hostPath: () => undefined };
  const changes = diffTrees(nothing, tree).filter(({ path }) => path !== '');
  return writeLayer(changes, tree, { parent: () => undefined });
}
