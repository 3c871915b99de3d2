/**
 * Unpacked layers, each a directory of its own that overlayfs can use as it is. A layer does not depend on those below it, so an image's layers are
 * unpacked side by side, and images share them by diff id.
 *
 *     snapshots/l/<12 digits of the diff id>/    the layer; short, since a mount's options must fit into one page
 *     snapshots/new-<pid>-<n>/                   being unpacked
 */

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInUserNamespace } from '../../../runtime/src/linux/user-namespace.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { shortDigest } from '../digest/digest.ts';
import type { WhiteoutStyle } from '../layer/lower-layers.ts';
import type { Layout } from '../store/layout.ts';
import type { Store } from '../store/store.ts';

export interface UnpackedLayer {
  readonly diffId: Digest;
  /** Relative to the snapshots' directory. */
  readonly name: string;
}

/**
 * How layers lie on disk: `root` as overlayfs of the host's root wants them; `recorded` for a user without privileges, owners written down in xattrs;
 * `namespaced` for the root of a user namespace, who has owners, but must mark whiteouts and the like with `user.` xattrs.
 */
export type LayerKind = 'root' | 'recorded' | 'namespaced';

const SUFFIX: Readonly<Record<LayerKind, string>> = { root: '', recorded: 'u', namespaced: 'n' };

/** What this process can use as it is. */
export function mountableKind(store: Store): 'root' | 'namespaced' {
  return isInUserNamespace(store.sys) ? 'namespaced' : 'root';
}

export interface EnsureLayerOptions {
  readonly kind: LayerKind;
  readonly signal?: AbortSignal;
}

const OVERLAYFS_SUPER_MAGIC = 0x794c7630;

let serial = 0;

/** Unpacks a layer unless that has been done. `open` gives its blob. Several processes may do the same: the first one's result stays. */
export async function ensureLayer(
  store: Store,
  diffId: Digest,
  open: () => AsyncIterable<Uint8Array>,
  options: EnsureLayerOptions,
): Promise<UnpackedLayer> {
  const layer = layerOf(diffId, options.kind);
  const target = join(store.layout.snapshots, layer.name);
  if (existsSync(target)) return checked(store.layout, layer);
  serial += 1;
  const temporary = join(store.layout.snapshots, `new-${process.pid}-${serial}`);
  mkdirSync(join(store.layout.snapshots, 'l'), { recursive: true });
  mkdirSync(temporary);
  try {
    chmodSync(temporary, 0o755);
    const { unpackLayer } = await import('../layer/unpack.ts');
    await unpackLayer(store.sys, open(), temporary, {
      whiteouts: whiteoutsFor(store.layout, options.kind),
      isRootless: options.kind === 'recorded',
      diffId,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    moveInPlace(store.layout, temporary, layer);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return checked(store.layout, layer);
}

/** On an overlayfs no layer can be mounted, and no mark of a mountable one be made. */
function whiteoutsFor(layout: Layout, kind: LayerKind): WhiteoutStyle {
  if (statfsSync(layout.snapshots).type === OVERLAYFS_SUPER_MAGIC) return 'marked';
  return kind === 'root' ? 'overlay' : 'overlay-user';
}

export function layerOf(diffId: Digest, kind: LayerKind): UnpackedLayer {
  return { diffId, name: `l/${shortDigest(diffId)}${SUFFIX[kind]}` };
}

/** Takes the upper directory of an unmounted snapshot for the unpacked layer that was made of it: it is moved there, or stays where that layer is already. */
export function adoptLayer(store: Store, diffId: Digest, directory: string, kind: LayerKind): UnpackedLayer {
  const layer = layerOf(diffId, kind);
  mkdirSync(join(store.layout.snapshots, 'l'), { recursive: true });
  if (!existsSync(join(store.layout.snapshots, layer.name))) moveInPlace(store.layout, directory, layer);
  return checked(store.layout, layer);
}

function moveInPlace(layout: Layout, directory: string, layer: UnpackedLayer): void {
  const target = join(layout.snapshots, layer.name);
  const id = `${directory}.id`;
  try {
    writeFileSync(id, layer.diffId);
    renameSync(id, `${target}.id`);
    renameSync(directory, target);
  } catch (error) {
    rmSync(id, { force: true });
    // Another process was first.
    if (!isNodeError(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

/** Removes layers that no image needs, and what killed processes left. `isNeeded` is asked for each diff id. Mounted layers must be needed. */
export function removeUnneededLayers(
  layout: Layout,
  isNeeded: (diffId: Digest) => boolean,
  isAlive: (pid: number) => boolean = processExists,
): string[] {
  const removed: string[] = [];
  const directory = join(layout.snapshots, 'l');
  for (const name of namesIn(directory).filter((one) => one.endsWith('.id'))) {
    const diffId = readFileSync(join(directory, name), 'utf8') as Digest;
    if (isNeeded(diffId)) continue;
    removed.push(diffId);
    rmSync(join(directory, name.slice(0, -'.id'.length)), { recursive: true, force: true });
    rmSync(join(directory, name), { force: true });
  }
  for (const name of namesIn(layout.snapshots)) {
    const pid = /^new-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(layout.snapshots, name), { recursive: true, force: true });
  }
  return removed;
}

/** Twelve digits can in theory be those of another layer. */
function checked(layout: Layout, layer: UnpackedLayer): UnpackedLayer {
  const found = readFileSync(join(layout.snapshots, `${layer.name}.id`), 'utf8');
  if (found !== layer.diffId) throw new ImageError('conflict', `layers ${layer.diffId} and ${found} have the same short id`);
  return layer;
}

/** Names in a directory; none where there is none. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isNodeError(error, 'ENOENT')) return [];
    throw error;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isNodeError(error, 'ESRCH');
  }
}
