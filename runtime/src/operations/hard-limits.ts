/** Resource limits that only the host's root may raise (getrlimit(2), CAP_SYS_RESOURCE). */
import type { Rlimit } from '../../../specs/runtime/process.ts';
import { tryCall } from '../linux/call.ts';
import { planRlimits } from '../plan/rlimits.ts';
import type { Sys } from '../sys/sys.ts';

const RLIMIT_BYTES = 16;

/**
 * Raises the hard limits of a process that is in a user namespace, where it cannot do so itself, to those of the configuration. The process itself
 * then sets the limits, and tells of the one that could not be raised.
 */
export function raiseHardLimits(sys: Sys, pid: number, rlimits: readonly Rlimit[]): void {
  const limit = new ArrayBuffer(RLIMIT_BYTES);
  const view = new DataView(limit);
  for (const { resource, hard } of planRlimits(rlimits)) {
    if (tryCall(sys, 'prlimit64', pid, resource, null, limit) < 0 || view.getBigUint64(8, true) >= hard) continue;
    view.setBigUint64(8, hard, true);
    tryCall(sys, 'prlimit64', pid, resource, limit, null);
  }
}
