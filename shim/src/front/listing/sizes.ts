/** What containers and images take: the writable layer's files, and the image's unpacked layers, counted by the length of their files as docker does. */

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lengthOfChanges } from '../../../../imagetool/src/layer/changes.ts';
import { isCopied } from '../../../../imagetool/src/snapshot/places.ts';
import type { Store } from '../../../../imagetool/src/store/store.ts';
import type { Container } from '../../container/containers.ts';
import { isMissing, readText } from '../../container/files.ts';
import { rootfsPaths } from '../../container/rootfs.ts';
import type { Context } from '../context.ts';
import { containerChanges } from '../filesystem/container-changes.ts';

export interface ContainerSize {
  readonly own: number;
  readonly image: number;
}

export async function sizeOfContainer(context: Context): Promise<(container: Container) => ContainerSize> {
  const store = await context.store();
  const layers = new Map<string, number>();
  return ({ record }) => {
    // A copy has all files of its image: what is its own is found by comparing.
    const own = isCopied(store.layout, record.Id)
      ? lengthOfChanges(containerChanges(store, record).changes)
      : lengthOfTree(rootfsPaths(store, record.Id).upper);
    return { own, image: layerNames(store, record.Id).reduce((sum, name) => sum + layerSize(store, name, layers), 0) };
  };
}

function layerNames(store: Store, id: string): string[] {
  const text = readText(join(store.layout.snapshots, 'active', id, 'layers')) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((diffId) => diffId.replace(/^sha256:/, '').slice(0, 12));
}

/** A layer does not change: its size is kept beside it. */
function layerSize(store: Store, name: string, known: Map<string, number>): number {
  const size = known.get(name) ?? lengthOfTree(join(store.layout.snapshots, 'l', name));
  known.set(name, size);
  return size;
}

/** The sum of the lengths of regular files; a file with several names counts once. */
export function lengthOfTree(path: string, seen: Set<number> = new Set()): number {
  try {
    return readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => {
      const at = join(path, entry.name);
      if (entry.isDirectory()) return sum + lengthOfTree(at, seen);
      if (!entry.isFile()) return sum;
      const { size, nlink, ino } = lstatSync(at);
      if (nlink > 1 && seen.has(ino)) return sum;
      seen.add(ino);
      return sum + size;
    }, 0);
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
