/**
 * Locks between processes, by flock(2) through the system interface.
 *
 * Node has no flock. The usual stand-in, a lock file holding a pid, needs a guess whether its owner still lives, and every such guess has a race;
 * the kernel drops a flock together with its owner, also after `kill -9`. Locks are held on open files, so two locks of one process exclude each
 * other as well. Files locked here are never replaced by rename while they are in use, except ingest files, whose openers check for that.
 */

import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { EAGAIN, syscallError } from '../../../runtime/src/linux/errno.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
/** Waiting is polling, since a blocking flock would stop the event loop: 1 ms at first, doubling to this. */
const MAX_WAIT_MS = 50;

export type LockKind = 'shared' | 'exclusive';

/** Takes the lock on an open file now. Returns false where another holder is in the way. */
export function tryLockFd(sys: Sys, fd: number, kind: LockKind): boolean {
  const result = tryCall(sys, 'flock', fd, (kind === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB);
  if (result === -EAGAIN) return false;
  if (result < 0) throw syscallError({ syscall: 'flock', errno: -result });
  return true;
}

/** Waits for the lock on an open file. Closing the file gives it back. */
export async function lockFd(sys: Sys, fd: number, kind: LockKind, signal?: AbortSignal): Promise<void> {
  for (let waitMs = 1; !tryLockFd(sys, fd, kind); waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Runs `body` while holding the lock on the file at `path`, which is made if missing and stays. */
export async function withLock<T>(sys: Sys, path: string, kind: LockKind, body: () => T | Promise<T>): Promise<T> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    await lockFd(sys, fd, kind);
    return await body();
  } finally {
    closeSync(fd);
  }
}
