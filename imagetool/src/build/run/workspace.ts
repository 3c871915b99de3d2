/**
 * A build's scratch space, and the removal of what killed builds left:
 *
 *     build/work/<id>/lock     held (flock) as long as the build lives
 *     build/work/<id>/<n>/     a step: config.json, hosts, resolv.conf, secrets
 *     build/containers/        the runtime's records, of containers <id>-<n>
 *     snapshots/active/<id>-<n>/
 */

import { randomBytes } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryCall } from '../../../../runtime/src/linux/call.ts';
import { MNT_DETACH } from '../../../../runtime/src/linux/mount-flags.ts';
import { isNodeError } from '../../base/errors.ts';
import { namesIn } from '../../snapshot/layers.ts';
import { listSnapshots, removeSnapshot } from '../../snapshot/overlay.ts';
import type { Layout } from '../../store/layout.ts';
import { tryLockFd, withLock } from '../../store/lock.ts';
import type { Store } from '../../store/store.ts';

/** Of one step. */
export interface StepSpace {
  /** Names the container and the snapshot. */
  readonly id: string;
  readonly directory: string;
}

export class Workspace {
  readonly #store: Store;
  readonly #id: string;
  readonly #directory: string;
  readonly #lockFd: number;
  #steps = 0;

  private constructor(store: Store, id: string, lockFd: number) {
    this.#store = store;
    this.#id = id;
    this.#directory = join(workDirectory(store.layout), id);
    this.#lockFd = lockFd;
  }

  /** Makes room for a build, after removing what killed ones left. */
  static async open(store: Store): Promise<Workspace> {
    const id = `build-${randomBytes(6).toString('hex')}`;
    const directory = join(workDirectory(store.layout), id);
    mkdirSync(workDirectory(store.layout), { recursive: true, mode: 0o700 });
    const lockFd = await withSweepLock(store, async () => {
      await sweep(store);
      mkdirSync(directory, { mode: 0o700 });
      const fd = openSync(join(directory, 'lock'), constants.O_RDWR | constants.O_CREAT, 0o600);
      tryLockFd(store.sys, fd, 'exclusive');
      return fd;
    });
    return new Workspace(store, id, lockFd);
  }

  get id(): string {
    return this.#id;
  }

  step(): StepSpace {
    this.#steps += 1;
    const directory = join(this.#directory, String(this.#steps));
    mkdirSync(directory, { mode: 0o700 });
    return { id: `${this.#id}-${this.#steps}`, directory };
  }

  /** Removes what a step has used. */
  finish({ id, directory }: StepSpace): void {
    for (const name of listSnapshots(this.#store.layout)) {
      if (name === id || name.startsWith(`${id}-`)) removeSnapshot(this.#store, name);
    }
    tryCall(this.#store.sys, 'umount2', join(directory, 'secrets'), MNT_DETACH);
    rmSync(directory, { recursive: true, force: true });
  }

  /** Removes all of the build that is still there. */
  async close(): Promise<void> {
    try {
      await removeWork(this.#store, this.#id);
    } finally {
      closeSync(this.#lockFd);
    }
  }
}

/** Removes what builds left that were killed. Those that live are left alone. */
export async function sweepWork(store: Store): Promise<void> {
  if (namesIn(workDirectory(store.layout)).length > 0) await withSweepLock(store, () => sweep(store));
}

/** Between a build's directory and its lock nobody looks. */
async function withSweepLock<T>(store: Store, body: () => Promise<T>): Promise<T> {
  return await withLock(store.sys, join(store.layout.build, 'lock'), 'exclusive', body);
}

async function sweep(store: Store): Promise<void> {
  for (const id of namesIn(workDirectory(store.layout))) {
    const fd = openLock(join(workDirectory(store.layout), id, 'lock'));
    try {
      if (fd === undefined || tryLockFd(store.sys, fd, 'exclusive')) await removeWork(store, id);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}

function workDirectory(layout: Layout): string {
  return join(layout.build, 'work');
}

function openLock(path: string): number | undefined {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if (isNodeError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function removeWork(store: Store, id: string): Promise<void> {
  const containers = namesIn(join(store.layout.build, 'containers')).filter((name) => name.startsWith(`${id}-`));
  // The runtime is loaded where there is something for it to do.
  if (containers.length > 0) (await import('./runtime.ts')).removeContainers(store, containers);
  for (const name of listSnapshots(store.layout)) if (name.startsWith(`${id}-`)) removeSnapshot(store, name);
  const directory = join(workDirectory(store.layout), id);
  for (const step of namesIn(directory)) tryCall(store.sys, 'umount2', join(directory, step, 'secrets'), MNT_DETACH);
  rmSync(directory, { recursive: true, force: true });
}
