/**
 * The directories of `RUN --mount=type=cache`, each with a lock that says who uses it:
 *
 *     build/mounts/<n>/data/       what the step sees
 *                      data.new/   what is to take its place
 *     build/mounts/<n>/mount.json  its id
 *     build/mounts/<n>/lock        flock: shared by who shares it, exclusive for `locked` and `private`
 *
 * `private` takes another directory of the same id where the first one is in use.
 */

import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../../../../specs/image/shape.ts';
import { digestOf } from '../../digest/digest.ts';
import { namesIn } from '../../snapshot/layers.ts';
import type { Layout } from '../../store/layout.ts';
import { lockFd, tryLockFd, withLock } from '../../store/lock.ts';
import type { Store } from '../../store/store.ts';
import { DiskUsage } from '../../store/usage.ts';
import type { CacheMount } from '../dockerfile/expanded.ts';

export interface HeldCache {
  /** Host path. */
  readonly directory: string;
  release(): void;
}

export interface StoredCache {
  readonly name: string;
  readonly id: string;
  /** Host path of what is in it. */
  readonly directory: string;
}

/** Takes the cache of a mount, made where it is missing; `fill` puts into a new one what it begins with. */
export async function holdCache(
  store: Store,
  mount: CacheMount,
  fill: (directory: string) => Promise<void>,
  signal: AbortSignal,
): Promise<HeldCache> {
  for (let copy = 0; ; copy += 1) {
    const home = join(cachesDirectory(store.layout), nameOf(mount.id, copy));
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const fd = openSync(join(home, 'lock'), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (mount.sharing !== 'private') await lockFd(store.sys, fd, mount.sharing === 'shared' ? 'shared' : 'exclusive', signal);
      else if (!tryLockFd(store.sys, fd, 'exclusive')) {
        closeSync(fd);
        continue;
      }
      const directory = join(home, 'data');
      await withLock(store.sys, join(cachesDirectory(store.layout), '.lock'), 'exclusive', () => makeData(home, mount, fill));
      return { directory, release: () => closeSync(fd) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

async function makeData(home: string, mount: CacheMount, fill: (directory: string) => Promise<void>): Promise<void> {
  const directory = join(home, 'data');
  if (existsSync(join(home, 'mount.json')) && existsSync(directory)) return;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  chmodSync(directory, mount.mode ?? 0o755);
  chownSync(directory, mount.uid ?? 0, mount.gid ?? 0);
  await fill(directory);
  // Last: it says that the directory is complete.
  writeFileSync(join(home, 'mount.json'), `${JSON.stringify({ id: mount.id })}\n`);
}

/**
 * Puts what `fill` makes in the place of what a cache holds, which is kept if it fails.
 * @param held for this process alone
 */
export async function replaceData({ directory }: HeldCache, fill: (directory: string) => Promise<void>): Promise<void> {
  const incoming = `${directory}.new`;
  // Of one that was killed.
  rmSync(incoming, { recursive: true, force: true });
  mkdirSync(incoming);
  try {
    const { mode, uid, gid } = statSync(directory);
    chmodSync(incoming, mode & 0o7777);
    chownSync(incoming, uid, gid);
    await fill(incoming);
    rmSync(directory, { recursive: true });
    renameSync(incoming, directory);
  } catch (error) {
    rmSync(incoming, { recursive: true, force: true });
    throw error;
  }
}

export function listCaches(layout: Layout): StoredCache[] {
  return namesIn(cachesDirectory(layout)).flatMap((name) => {
    const home = join(cachesDirectory(layout), name);
    if (!existsSync(join(home, 'mount.json'))) return [];
    const value: unknown = JSON.parse(readFileSync(join(home, 'mount.json'), 'utf8'));
    const id = isObject(value) ? value['id'] : undefined;
    return typeof id === 'string' ? [{ name, id, directory: join(home, 'data') }] : [];
  });
}

/** Bytes on disk. */
export function cacheBytes(cache: StoredCache): number {
  return new DiskUsage().add(cache.directory);
}

/** Removes a cache unless a build uses it; then returns false. */
export function removeCache(store: Store, cache: StoredCache): boolean {
  const home = join(cachesDirectory(store.layout), cache.name);
  const fd = openSync(join(home, 'lock'), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    if (!tryLockFd(store.sys, fd, 'exclusive')) return false;
    rmSync(join(home, 'mount.json'), { force: true });
    rmSync(join(home, 'data'), { recursive: true, force: true });
    return true;
  } finally {
    closeSync(fd);
  }
}

function cachesDirectory(layout: Layout): string {
  return join(layout.build, 'mounts');
}

function nameOf(id: string, copy: number): string {
  return `${digestOf(id).slice(7, 23)}${copy === 0 ? '' : `-${copy}`}`;
}
