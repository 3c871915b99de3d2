/** Labels of blobs by the system interface, for the engine that has no promises: see labels.ts. */

import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EINTR, syscallError } from '../../../runtime/src/linux/errno.ts';
import { close, open, readFileIfExists, writeAll } from '../../../runtime/src/linux/files.ts';
import { AT_FDCWD, O_CREAT, O_EXCL, O_RDWR, O_WRONLY } from '../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import type { Layout } from './layout.ts';

const LOCK_EX = 2;

export type Labels = Readonly<Record<string, string>>;

/** As readLabels. */
export function labelsOf(sys: Sys, layout: Layout, digest: Digest): Labels {
  const text = readFileIfExists(sys, fileOf(layout, digest));
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Labels) : {};
  } catch {
    return {};
  }
}

/** As writeLabels, for several blobs under one lock. */
export function setLabels(sys: Sys, layout: Layout, all: ReadonlyMap<Digest, Labels>): void {
  const lock = open(sys, layout.lock, { flags: O_RDWR | O_CREAT, mode: 0o644 });
  try {
    lockNow(sys, lock, layout.lock);
    let serial = 0;
    for (const [digest, labels] of all) {
      serial += 1;
      const temporary = `${layout.labels}/.tmp-${call(sys, 'getpid', '')}-${serial}`;
      const fd = open(sys, temporary, { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644 });
      try {
        writeAll(sys, fd, `${JSON.stringify({ ...labelsOf(sys, layout, digest), ...labels })}\n`, temporary);
      } finally {
        close(sys, fd);
      }
      call(sys, 'renameat2', temporary, AT_FDCWD, temporary, AT_FDCWD, fileOf(layout, digest), 0);
    }
  } finally {
    close(sys, lock);
  }
}

/** Waits in the kernel. */
function lockNow(sys: Sys, fd: number, path: string): void {
  for (;;) {
    const result = tryCall(sys, 'flock', fd, LOCK_EX);
    if (result === 0) return;
    if (result !== -EINTR) throw syscallError({ syscall: 'flock', errno: -result, object: path });
  }
}

function fileOf(layout: Layout, digest: Digest): string {
  return `${layout.labels}/${digest.replace(':', '-')}`;
}
