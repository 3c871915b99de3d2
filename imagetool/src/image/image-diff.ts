/** What is different between two images, of whatever origin: files, configuration, layers and sizes. */

import { isDeepStrictEqual } from 'node:util';
import type { ImageConfig } from '../../../specs/image/config.ts';
import type { Platform } from '../../../specs/image/descriptor.ts';
import { type Change, diffTrees } from '../layer/changes.ts';
import type { Store } from '../store/store.ts';
import { withImageTree } from './image-tree.ts';
import type { LoadedImage } from './load.ts';
import type { ImageSource } from './source.ts';

export interface FieldChange {
  /** `config.Cmd`, `author`. */
  readonly field: string;
  readonly old?: unknown;
  readonly new?: unknown;
}

export interface ImageDiff {
  readonly files: readonly Change[];
  readonly config: readonly FieldChange[];
  readonly layers: { readonly shared: number; readonly old: number; readonly new: number };
  /** Bytes of the layers as stored. */
  readonly size: { readonly old: number; readonly new: number };
}

/** Layers that both images have are unpacked all the same; nothing is, if all of them are the same. Needs a store to unpack in. */
export async function diffImages(store: Store, before: ImageSource, now: ImageSource, platform: Platform): Promise<ImageDiff> {
  const [old, next] = [await before.load(platform), await now.load(platform)];
  const isSameTree = isDeepStrictEqual(old.config.rootfs.diff_ids, next.config.rootfs.diff_ids);
  const files = isSameTree
    ? []
    : await withImageTree(store, before, platform, (lower) =>
        withImageTree(store, now, platform, async (upper) => diffTrees(lower, upper)),
      );
  const oldIds = new Set(old.config.rootfs.diff_ids);
  return {
    files,
    config: diffConfigs(old.config, next.config),
    layers: {
      shared: next.config.rootfs.diff_ids.filter((id) => oldIds.has(id)).length,
      old: old.manifest.layers.length,
      new: next.manifest.layers.length,
    },
    size: { old: sizeOf(old), new: sizeOf(next) },
  };
}

/** History and layers are told otherwise, and times of creation say nothing. */
export function diffConfigs(old: ImageConfig, next: ImageConfig): FieldChange[] {
  const [before, now] = [fieldsOf(old), fieldsOf(next)];
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names
    .filter((name) => !isDeepStrictEqual(before.get(name), now.get(name)))
    .map((field) => ({
      field,
      ...(before.has(field) ? { old: before.get(field) } : {}),
      ...(now.has(field) ? { new: now.get(field) } : {}),
    }));
}

const UNTOLD = new Set(['config', 'rootfs', 'history', 'created', 'container', 'container_config']);

function fieldsOf(image: ImageConfig): Map<string, unknown> {
  const outer = Object.entries(image).filter(([name]) => !UNTOLD.has(name));
  const inner = Object.entries(image.config ?? {}).map(([name, value]): [string, unknown] => [`config.${name}`, value]);
  // Readers of configurations take nothing and null for the same.
  return new Map([...outer, ...inner].filter(([, value]) => value !== null && value !== undefined));
}

function sizeOf({ manifest }: LoadedImage): number {
  return manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
}
