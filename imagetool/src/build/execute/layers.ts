/** The layers a step stands on: as blobs, as directories for overlayfs, as one tree to look things up in. */

import { join } from 'node:path';
import type { Digest } from '../../../../specs/image/digest.ts';
import { digestOf } from '../../digest/digest.ts';
import type { NewLayer } from '../../image/commit.ts';
import type { LoadedImage } from '../../image/load.ts';
import { ensureLayer, type LayerKind, type UnpackedLayer } from '../../snapshot/layers.ts';
import { type SearchableTree, stackedTree } from '../../snapshot/stacked-tree.ts';
import { openVerified } from '../../store/blobs.ts';
import type { Store } from '../../store/store.ts';

/** Bottom first. */
export type LayerStack = readonly NewLayer[];

export function layersOfImage({ manifest, config }: LoadedImage): LayerStack {
  return manifest.layers.map((descriptor, index) => ({ descriptor, diffId: config.rootfs.diff_ids[index] ?? descriptor.digest }));
}

/** Names a stack by its content (image-spec, config.md#layer-chainid). */
export function chainOf(stack: LayerStack): Digest | '' {
  let chain: Digest | '' = '';
  for (const { diffId } of stack) chain = chain === '' ? diffId : digestOf(`${chain} ${diffId}`);
  return chain;
}

export class UnpackedStacks {
  readonly #store: Store;
  readonly #kind: LayerKind;
  readonly #trees = new Map<string, SearchableTree>();

  constructor(store: Store, kind: LayerKind) {
    this.#store = store;
    this.#kind = kind;
  }

  /** Unpacks what is not unpacked yet. */
  async directories(stack: LayerStack, signal: AbortSignal): Promise<UnpackedLayer[]> {
    const layers: UnpackedLayer[] = [];
    for (const { diffId, descriptor } of stack) {
      layers.push(await ensureLayer(this.#store, diffId, () => openVerified(this.#store.layout, descriptor), { kind: this.#kind, signal }));
    }
    return layers;
  }

  async tree(stack: LayerStack, signal: AbortSignal): Promise<SearchableTree> {
    const chain = chainOf(stack);
    const known = this.#trees.get(chain);
    if (known !== undefined) return known;
    const layers = await this.directories(stack, signal);
    const paths = layers.reverse().map(({ name }) => join(this.#store.layout.snapshots, name));
    const tree = stackedTree(this.#store.sys, paths, { isRootless: false });
    this.#trees.set(chain, tree);
    return tree;
  }
}
