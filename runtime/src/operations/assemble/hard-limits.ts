/** Resource limits that only the host's root may raise (getrlimit(2), CAP_SYS_RESOURCE). */
import { RLIMIT_TYPES, type Rlimit } from '../../../../specs/runtime/process.ts';
import { tryCall } from '../../linux/call.ts';
import { syscallError } from '../../linux/errno.ts';
import { planRlimits } from '../../plan/rlimits.ts';
import type { RlimitStep } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';

const RLIMIT_BYTES = 16;
const STEP = 'set the resource limits';

/**
 * The limit on descriptors is set last. Its hard limit is raised now, where need be, so that what is not permitted fails with the rest of create.
 * @throws SyscallError
 */
export function raiseDescriptorLimit(sys: Sys, pid: number, { resource, soft, hard, configPath }: RlimitStep): void {
  const limit = new ArrayBuffer(RLIMIT_BYTES);
  const view = new DataView(limit);
  if (tryCall(sys, 'prlimit64', pid, resource, null, limit) < 0 || view.getBigUint64(8, true) >= hard) return;
  view.setBigUint64(8, hard, true);
  const result = tryCall(sys, 'prlimit64', pid, resource, limit, null);
  if (result === 0) return;
  const object = `${RLIMIT_TYPES[resource]} {soft=${soft}, hard=${hard}}`;
  const failure = { syscall: 'prlimit64', errno: -result, object, step: STEP, ...(configPath === undefined ? {} : { configPath }) };
  throw syscallError(failure, `${STEP}: prlimit64 ${object}`);
}

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
