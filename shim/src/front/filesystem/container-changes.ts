/** What a container has changed of its image: what `diff` lists and `commit` keeps. */

import { join } from 'node:path';
import { fromText } from '../../../../imagetool/src/archive/byte-string.ts';
import type { Change } from '../../../../imagetool/src/layer/changes.ts';
import { layerPath } from '../../../../imagetool/src/layer/names.ts';
import { type FileRecord, isDirectory, isFile, type Tree } from '../../../../imagetool/src/layer/tree.ts';
import { snapshotChanges } from '../../../../imagetool/src/snapshot/copied.ts';
import { layerOf, mountableKind } from '../../../../imagetool/src/snapshot/layers.ts';
import { type SearchableTree, stackedTree } from '../../../../imagetool/src/snapshot/stacked-tree.ts';
import type { Store } from '../../../../imagetool/src/store/store.ts';
import { isDigest } from '../../../../specs/image/digest.ts';
import { readText } from '../../container/files.ts';
import type { ContainerRecord } from '../../container/record.ts';

export interface ContainerChanges {
  readonly changes: readonly Change[];
  /** Where the changed files are. */
  readonly upper: Tree;
  readonly lower: SearchableTree;
}

/** Where every container has something mounted; the runtime makes the places. */
const SYSTEM_PLACES = ['/proc', '/dev', '/sys', '/etc/resolv.conf', '/etc/hostname', '/etc/hosts', '/sbin/docker-init'];

export function containerChanges(store: Store, record: ContainerRecord): ContainerChanges {
  const { sys, layout } = store;
  const text = readText(join(layout.snapshots, 'active', record.Id, 'layers')) ?? '';
  const kind = mountableKind(store);
  const layers = text
    .split('\n')
    .filter(isDigest)
    .map((diffId) => layerOf(diffId, kind));
  const directories = layers.reverse().map(({ name }) => join(layout.snapshots, name));
  const lower = stackedTree(sys, directories, { isRootless: false });
  const { changes, upper } = snapshotChanges(store, record.Id, lower, { isRootless: false });
  return { changes: withoutPlaces(changes, upper, lower, placesOf(record)), upper, lower };
}

function placesOf(record: ContainerRecord): Set<string> {
  const own = [...record.Mounts.map(({ Destination }) => Destination), ...Object.keys(record.HostConfig.Tmpfs)];
  return new Set([...SYSTEM_PLACES, ...own].map((path) => layerPath(fromText(path))));
}

/** Empty places of mounts are no change, nor are directories that only hold such. */
function withoutPlaces(changes: readonly Change[], upper: Tree, lower: SearchableTree, places: ReadonlySet<string>): Change[] {
  const isPlace = ({ kind, path, record }: Change) =>
    kind === 'add' &&
    record !== undefined &&
    places.has(path) &&
    (isDirectory(record) ? upper.list(path).size === 0 : isFile(record) && record.size === 0);
  const left = changes.filter((change) => !isPlace(change));
  const hadPlaces = (path: string) => [...places].some((place) => place.startsWith(`${path}/`));
  const isHollow = ({ kind, path, record }: Change) => {
    if (record === undefined || !isDirectory(record) || !hadPlaces(path)) return false;
    if (left.some((other) => other.path.startsWith(`${path}/`) && !places.has(other.path))) return false;
    return kind === 'add' || (kind === 'modify' && looksSame(record, lower.find(path)));
  };
  return left.filter((change) => !isHollow(change));
}

function looksSame(record: FileRecord, old: FileRecord | undefined): boolean {
  return old !== undefined && record.mode === old.mode && record.uid === old.uid && record.gid === old.gid;
}
