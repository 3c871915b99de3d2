import { type Change, diffTrees } from './changes.ts';
import type { Tree } from './tree.ts';

/** All that a tree holds, its root included, as additions to nothing. */
export function wholeTree(tree: Tree): Change[] {
  const nothing = { mode: 0, uid: 0, gid: 0, size: 0, mtimeSeconds: 0, mtimeNanoseconds: 0, nodeMajor: 0, nodeMinor: 0, linkName: '' };
  const root = { ...nothing, linkCount: 0, inode: 0, changed: '', xattrs: new Map<string, Buffer>() };
  return diffTrees({ root, list: () => new Map(), hostPath: () => undefined }, tree);
}
