/** Why a process has ended, where more is known than its status. */
import type { ProcessEnd } from './process-end.ts';

const SIGKILL = 9;
const SIGSYS = 31;

/** @param oomCgroup where the kernel has killed for want of memory */
export function causeOf({ signal }: ProcessEnd, oomCgroup: string | undefined): string | undefined {
  if (signal === SIGKILL && oomCgroup !== undefined) return `killed for want of memory in ${oomCgroup}`;
  if (signal === SIGSYS) return 'killed by its seccomp filter (SIGSYS)';
  return signal === undefined ? undefined : `ended by signal ${signal}`;
}

/** Somebody should hear of it who reads the shim's log. */
export function isRemarkable({ signal }: ProcessEnd, outOfMemory: boolean): boolean {
  return signal === SIGSYS || (signal === SIGKILL && outOfMemory);
}
