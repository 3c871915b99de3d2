/** Files that steps take: of the context, of other stages, of images, of named contexts. */

import { join } from 'node:path';
import type { Digest } from '../../../../specs/image/digest.ts';
import { fromText, toText } from '../../archive/byte-string.ts';
import { ImageError } from '../../base/errors.ts';
import { joinPath } from '../../layer/names.ts';
import { type FileRecord, isDirectory } from '../../layer/tree.ts';
import { mountSnapshot, type Snapshot } from '../../snapshot/overlay.ts';
import { resolvePath, type SearchableTree } from '../../snapshot/stacked-tree.ts';
import { NO_FILTER, type Origin } from '../copy/select.ts';
import type { FileSource } from '../plan/step.ts';
import type { MountedPath, MountWish } from '../run/mounts.ts';
import { coverContext } from './context-cover.ts';
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

/**
 * Shows a path of a source at a place of this machine, for a container; the source is not left. The workspace of the step removes the mount: it bears
 * the step's id. Throws ImageError `copy-source` for what is not there.
 */
export async function mountSource(session: Session, source: ResolvedSource, { id, path }: MountWish): Promise<MountedPath> {
  const { store, signal } = session.options;
  const isRootless = session.kind !== 'root';
  if (source.kind === 'directory') {
    const { tree, name } = source.origin;
    const found = findPath(tree, path, name);
    const snapshot = mountSnapshot(store, {
      id,
      layers: [],
      isRootless,
      isVolatile: true,
      base: toText(tree.hostPath('') ?? ''),
      makeCover: (directory) => coverContext(store.sys, source.origin, { path: found.path, directory }),
    });
    return mountedPath(snapshot, found);
  }
  const layers = await session.stacks.directories(source.layers, signal);
  const found = findPath(await session.stacks.tree(source.layers, signal), path, source.name);
  return mountedPath(mountSnapshot(store, { id, layers, isRootless, isVolatile: true }), found);
}

interface FoundPath {
  /** Without links. Byte string. */
  readonly path: string;
  readonly record: FileRecord;
}

function findPath(tree: SearchableTree, wanted: string, name: string): FoundPath {
  const { path, record } = resolvePath(tree, fromText(wanted), { follow: true });
  if (record === undefined) throw new ImageError('copy-source', `${name} has no ${JSON.stringify(wanted)}`);
  return { path, record };
}

function mountedPath(snapshot: Snapshot | undefined, { path, record }: FoundPath): MountedPath {
  if (snapshot === undefined) throw new ImageError('unsupported', 'this kernel or user may not mount overlayfs, which builds need');
  return { hostPath: toText(joinPath(snapshot.merged, path).replace(/\/$/, '')), isFile: !isDirectory(record) };
}

/** Where a snapshot's changes are. */
export function snapshotPath(session: Session, id: string, name: 'upper' | 'merged'): string {
  return join(session.options.store.layout.snapshots, 'active', id, name);
}
