/** What a filter may answer (seccomp(2); linux/seccomp.h). libseccomp's actions have the same numbers. */
import type { SeccompAction } from '../../../specs/runtime/linux/seccomp.ts';
import { EPERM } from '../linux/errno.ts';

export const RET_KILL_PROCESS = 0x80000000;
export const RET_KILL_THREAD = 0;
export const RET_TRAP = 0x00030000;
export const RET_ERRNO = 0x00050000;
export const RET_NOTIFY = 0x7fc00000;
export const RET_TRACE = 0x7ff00000;
export const RET_LOG = 0x7ffc0000;
export const RET_ALLOW = 0x7fff0000;

/** The part of an answer that is not data. */
export const RET_ACTION_FULL = 0xffff0000;

export const ACTION_VALUES: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: RET_KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: RET_KILL_THREAD,
  SCMP_ACT_TRAP: RET_TRAP,
  SCMP_ACT_ERRNO: RET_ERRNO,
  SCMP_ACT_TRACE: RET_TRACE,
  SCMP_ACT_ALLOW: RET_ALLOW,
  SCMP_ACT_LOG: RET_LOG,
  SCMP_ACT_NOTIFY: RET_NOTIFY,
};

/** @param errnoRet errno of SCMP_ACT_ERRNO, number for the tracer of SCMP_ACT_TRACE; EPERM when absent */
export function actionValue(action: SeccompAction, errnoRet: number | undefined): number {
  const value = ACTION_VALUES[action];
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? value | (errnoRet ?? EPERM) : value;
}
