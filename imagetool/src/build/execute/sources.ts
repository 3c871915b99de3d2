/** Files that steps take: of the context, of other stages, of images, of named contexts. */

import { join } from 'node:path';
import type { Digest } from '../../../../specs/image/digest.ts';
import { fromText, toText } from '../../archive/byte-string.ts';
import { ImageError } from '../../base/errors.ts';
import { joinPath } from '../../layer/names.ts';
import { isDirectory } from '../../layer/tree.ts';
import { mountSnapshot } from '../../snapshot/overlay.ts';
import { resolvePath, type SearchableTree } from '../../snapshot/stacked-tree.ts';
import { NO_FILTER, type Origin } from '../copy/select.ts';
import type { FileSource } from '../plan/step.ts';
import type { MountedTree } from '../run/mounts.ts';
import { hideExcluded } from './hide-excluded.ts';
import { chainOf, type LayerStack, layersOfImage } from './layers.ts';
import type { Session } from './session.ts';

/** What a source is known by before anything of it is unpacked or read. */
export type ResolvedSource =
  | { readonly kind: 'directory'; readonly origin: Origin }
  | { readonly kind: 'layers'; readonly name: string; readonly layers: LayerStack; readonly chain: Digest | '' };

/** `stage` waits until a stage is built. */
export async function resolveSource(
  session: Session,
  source: FileSource,
  stage: (index: number) => Promise<{ readonly name: string; readonly layers: LayerStack }>,
): Promise<ResolvedSource> {
  const { options } = session;
  switch (source.kind) {
    case 'context':
      return { kind: 'directory', origin: options.context };
    case 'named': {
      const origin = options.named.get(source.name);
      if (origin === undefined) throw new ImageError('context', `there is no context ${JSON.stringify(source.name)}`);
      return { kind: 'directory', origin };
    }
    case 'stage': {
      const { name, layers } = await stage(source.index);
      return { kind: 'layers', name, layers, chain: chainOf(layers) };
    }
    case 'image': {
      const image = await options.loadImage(source.reference, source.platform ?? options.platform);
      const layers = layersOfImage(image);
      return { kind: 'layers', name: `image ${source.reference}`, layers, chain: chainOf(layers) };
    }
  }
}

/** The files themselves. */
export async function openSource(session: Session, source: ResolvedSource): Promise<Origin> {
  if (source.kind === 'directory') return source.origin;
  const tree = await session.stacks.tree(source.layers, session.options.signal);
  return { tree, filter: NO_FILTER, name: source.name, hashRoot: `layers ${source.chain}`, isForeign: false };
}

/** Shows a source at a place of this machine, for a container. The workspace of the step removes the mount: it bears the step's id. */
export async function mountSource(session: Session, source: ResolvedSource, id: string): Promise<MountedTree> {
  const { store, signal } = session.options;
  const isRootless = session.kind !== 'root';
  if (source.kind === 'directory') {
    const { tree } = source.origin;
    const snapshot = mountSnapshot(store, {
      id,
      layers: [],
      isRootless,
      isVolatile: true,
      base: toText(tree.hostPath('') ?? ''),
      makeCover: (directory) => hideExcluded(store.sys, source.origin, directory),
    });
    return mountedTree(tree, snapshot?.merged, source.origin.name);
  }
  const layers = await session.stacks.directories(source.layers, signal);
  const snapshot = mountSnapshot(store, { id, layers, isRootless, isVolatile: true });
  return mountedTree(await session.stacks.tree(source.layers, signal), snapshot?.merged, source.name);
}

function mountedTree(tree: SearchableTree, merged: string | undefined, name: string): MountedTree {
  if (merged === undefined) throw new ImageError('unsupported', 'this kernel or user may not mount overlayfs, which builds need');
  return {
    at: (path) => {
      const { path: real, record } = resolvePath(tree, fromText(path), { follow: true });
      if (record === undefined) throw new ImageError('copy-source', `${name} has no ${JSON.stringify(path)}`);
      return { hostPath: toText(joinPath(merged, real).replace(/\/$/, '')), isFile: !isDirectory(record) };
    },
  };
}

/** Where a snapshot's changes are. */
export function snapshotPath(session: Session, id: string, name: 'upper' | 'merged'): string {
  return join(session.options.store.layout.snapshots, 'active', id, name);
}
