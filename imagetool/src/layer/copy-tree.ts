/** Copies of whole trees: owners, modes, times, xattrs, hard links, devices. */

import { closeSync, constants, openSync } from 'node:fs';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { LayerApplier } from './apply.ts';
import type { Tree } from './tree.ts';
import { wholeTree } from './whole-tree.ts';
import { layerEntries } from './write.ts';

/**
 * Fills an empty directory with what a tree holds. Contents are shared with the tree's files where the file system can (copy_file_range(2) makes
 * reflinks on Btrfs and XFS). If anything fails, the copy is half done.
 */
export function copyTree(sys: Sys, tree: Tree, directory: string, options: { readonly isRootless: boolean }): void {
  const applier = new LayerApplier(sys, directory, { whiteouts: 'remove', isRootless: options.isRootless });
  try {
    for (const { entry, hostPath } of layerEntries(wholeTree(tree), tree, { parent: () => undefined })) {
      applier.apply({ kind: 'entry', entry });
      if (hostPath !== undefined) copyContent(applier, hostPath, entry.size);
      applier.apply({ kind: 'end' });
    }
    applier.finish();
  } finally {
    applier.close();
  }
}

function copyContent(applier: LayerApplier, hostPath: string, sizeBytes: number): void {
  const fd = openSync(Buffer.from(hostPath, 'latin1'), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    applier.copy(fd, sizeBytes);
  } finally {
    closeSync(fd);
  }
}
