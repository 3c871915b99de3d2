/**
 * Leases keep blobs from gc while no image names them yet, or for as long as a container needs them.
 *
 * A lease is a file with a line per digest. It counts while its owner holds the flock on it, and after that until it expires: a killed pull finds
 * its layers again when it is started anew. A lease without expiry counts until it is released.
 */

import { closeSync, constants, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { type Digest, isDigest } from '../../../specs/image/digest.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import type { Layout } from './layout.ts';
import { tryLockFd, withLock } from './lock.ts';
import type { Store } from './store.ts';

/** How long what a dead process had fetched stays by default. */
export const LEASE_MS = 24 * 60 * 60 * 1000;

export interface Lease {
  readonly id: string;
  /** Adds digests. When it returns, gc knows them: only then is a blob that is there sure to stay. */
  protect(...digests: readonly Digest[]): Promise<void>;
  /** Ends the lease: what nothing else needs may go. */
  release(): void;
  /** Ends this process's hold; the lease counts until it expires. */
  abandon(): void;
}

export interface LeaseOptions {
  /** Letters, digits, `_`, `.`, `-`. One lease of an id can be held at a time. */
  readonly id: string;
  /** Milliseconds from now; undefined: for ever. */
  readonly expiresInMs?: number;
}

/** Takes a lease, or takes up again one that was abandoned, with its digests. Throws ImageError `lease-held` where another process holds it. */
export async function takeLease(store: Store, options: LeaseOptions): Promise<Lease> {
  if (!/^[\w][\w.-]{0,200}$/.test(options.id)) throw new ImageError('lease', `${JSON.stringify(options.id)} is not a lease id`);
  const path = join(store.layout.leases, options.id);
  const expiry = options.expiresInMs === undefined ? 'never' : new Date(Date.now() + options.expiresInMs).toISOString();
  // Under the shared lock gc cannot remove the file between its opening and its locking.
  const fd = await withLock(store.sys, store.layout.lock, 'shared', () => {
    const opened = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o644);
    if (!tryLockFd(store.sys, opened, 'exclusive')) {
      closeSync(opened);
      throw new ImageError('lease-held', `lease ${options.id} is held by another process`);
    }
    // Later lines win.
    writeSync(opened, `expires ${expiry}\n`);
    return opened;
  });
  return {
    id: options.id,
    protect: (...digests) =>
      withLock(store.sys, store.layout.lock, 'shared', () => {
        writeSync(fd, digests.map((digest) => `${digest}\n`).join(''));
      }),
    release: () => {
      rmSync(path, { force: true });
      closeSync(fd);
    },
    abandon: () => closeSync(fd),
  };
}

/** Ends a lease that no process holds, such as a container's. */
export function releaseLease(layout: Layout, id: string): void {
  rmSync(join(layout.leases, id), { force: true });
}

export interface LeaseState {
  readonly id: string;
  readonly digests: readonly Digest[];
  /** False: its owner is gone and it has expired. */
  readonly counts: boolean;
}

/** All leases. For gc, which holds the exclusive lock while it reads them. */
export function readLeases({ sys, layout }: Store, nowMs: number): LeaseState[] {
  return readdirSync(layout.leases).flatMap((id) => {
    const path = join(layout.leases, id);
    try {
      const lines = readFileSync(path, 'utf8').split('\n');
      const expiry = lines.findLast((line) => line.startsWith('expires '))?.slice('expires '.length);
      const counts = expiry === 'never' || (expiry !== undefined && Date.parse(expiry) > nowMs) || isHeld(sys, path);
      return [{ id, digests: lines.filter(isDigest), counts }];
    } catch (error) {
      if (isNodeError(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

function isHeld(sys: Sys, path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    return !tryLockFd(sys, fd, 'exclusive');
  } finally {
    closeSync(fd);
  }
}
