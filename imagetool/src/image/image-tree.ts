/** An image's files as one tree: its layers unpacked one over the other. */

import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Descriptor, Platform } from '../../../specs/image/descriptor.ts';
import { realTree, type Tree } from '../layer/tree.ts';
import { unpackLayer } from '../layer/unpack.ts';
import { wholeTree } from '../layer/whole-tree.ts';
import { writeLayer } from '../layer/write.ts';
import type { Store } from '../store/store.ts';
import type { LoadedImage } from './load.ts';
import type { ImageSource } from './source.ts';

export interface UnpackedTree {
  readonly entries: number;
  readonly warnings: readonly string[];
}

/** Unpacks all layers into an empty directory. If anything fails, the tree is half done. */
export async function unpackTree(
  sys: Sys,
  image: LoadedImage,
  open: (layer: Descriptor) => AsyncIterable<Uint8Array>,
  directory: string,
  options: { readonly isRootless: boolean },
): Promise<UnpackedTree> {
  let entries = 0;
  const warnings: string[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[index];
    const result = await unpackLayer(sys, open(layer), directory, {
      whiteouts: 'remove',
      isRootless: options.isRootless,
      ...(diffId === undefined ? {} : { diffId }),
    });
    entries += result.entries;
    warnings.push(...result.warnings);
  }
  return { entries, warnings };
}

let serial = 0;

/** The image's tree in a directory that is gone afterwards; gc removes what a killed process has left of it. */
export async function withImageTree<T>(
  store: Store,
  source: ImageSource,
  platform: Platform,
  use: (tree: Tree, image: LoadedImage) => Promise<T>,
): Promise<T> {
  const isRootless = process.geteuid?.() !== 0;
  const image = await source.load(platform);
  serial += 1;
  const directory = join(store.layout.snapshots, `new-${process.pid}-tree${serial}`);
  mkdirSync(directory, { recursive: true });
  try {
    chmodSync(directory, 0o755);
    await unpackTree(store.sys, image, source.open, directory, { isRootless });
    return await use(realTree(store.sys, directory, { isRootless }), image);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A tree as an uncompressed archive. */
export function treeArchive(tree: Tree, epochSeconds?: number): AsyncIterable<Uint8Array> {
  return writeLayer(wholeTree(tree), tree, { parent: () => undefined, ...(epochSeconds === undefined ? {} : { epochSeconds }) });
}
