/** openat2(2) on the host's side: a path that is not to lead just anywhere. */
import type { CallArgument, Sys } from '../sys/sys.ts';
import { tryCall } from './call.ts';
import { EAGAIN } from './errno.ts';
import { O_CLOEXEC } from './open-flags.ts';

const OPEN_HOW_BYTES = 24;

/** `struct open_how`. `flags` without O_CLOEXEC, which is always set; `resolve`: RESOLVE_… */
export function openHow(flags: number, resolve: number): ArrayBuffer {
  const how = new ArrayBuffer(OPEN_HOW_BYTES);
  const view = new DataView(how);
  view.setBigUint64(0, BigInt(flags | O_CLOEXEC), true);
  view.setBigUint64(16, BigInt(resolve), true);
  return how;
}

/**
 * A descriptor that the caller closes, or the negated errno. While anything anywhere is renamed or mounted the kernel cannot tell where a `..` leads,
 * and wants to be asked again (EAGAIN).
 */
export function tryOpenat2(sys: Sys, directory: number, path: CallArgument, how: ArrayBuffer): number {
  for (;;) {
    const result = tryCall(sys, 'openat2', directory, path, how, OPEN_HOW_BYTES);
    if (result !== -EAGAIN) return result;
  }
}
