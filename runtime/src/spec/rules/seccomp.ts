import type { Config } from '../../../../specs/runtime/config.ts';
import type { Seccomp, SeccompAction } from '../../../../specs/runtime/linux/seccomp.ts';
import { checkItems, type Report, type Rule } from './rule.ts';

const REFERENCE = 'config-linux.md#seccomp';

/** The kernel's MAX_ERRNO: it cuts higher numbers down to this one. */
const ERRNO_MAX = 4095;
/** SECCOMP_RET_DATA has 16 bits. */
const TRACE_DATA_MAX = 0xffff;

export const seccompErrors: readonly Rule<Config>[] = [
  forSeccomp('seccomp-errno', (seccomp, report) => {
    checkErrno(seccomp.defaultAction, seccomp.defaultErrnoRet, 'defaultErrnoRet', report);
    checkItems(seccomp.syscalls, 'syscalls', report, ({ action, errnoRet }, reportItem) => {
      checkErrno(action, errnoRet, 'errnoRet', reportItem);
    });
  }),
  forSeccomp('seccomp-notify-default', ({ defaultAction }, report) => {
    // The runtime's own last calls before the program would wait for the agent, which gets its descriptor only after them.
    if (defaultAction === 'SCMP_ACT_NOTIFY') report('defaultAction', defaultAction, 'cannot be the default action');
  }),
  forSeccomp('seccomp-notify-write', ({ syscalls }, report) => {
    checkItems(syscalls, 'syscalls', report, ({ action, names }, reportItem) => {
      const isWrite = action === 'SCMP_ACT_NOTIFY' && names.includes('write');
      if (isWrite) reportItem('action', action, 'cannot be used for write, which is needed to hand the descriptor over');
    });
  }),
  forSeccomp('seccomp-listener-path', ({ syscalls, listenerPath }, report) => {
    const notifies = syscalls?.some(({ action }) => action === 'SCMP_ACT_NOTIFY') ?? false;
    if (notifies && listenerPath === undefined) report('listenerPath', undefined, 'is required, as SCMP_ACT_NOTIFY is used');
  }),
  forSeccomp('seccomp-listener-metadata', ({ listenerPath, listenerMetadata }, report) => {
    if (listenerMetadata !== undefined && listenerPath === undefined) {
      report('listenerMetadata', listenerMetadata, 'must not be set if listenerPath is not');
    }
  }),
];

function forSeccomp(id: string, check: (seccomp: Seccomp, report: Report) => void): Rule<Config> {
  return {
    id,
    reference: REFERENCE,
    check({ linux }, report) {
      if (linux?.seccomp === undefined) return;
      check(linux.seccomp, (path, value, message) => report(`linux.seccomp.${path}`, value, message));
    },
  };
}

function checkErrno(action: SeccompAction, errno: number | undefined, path: string, report: Report): void {
  if (errno === undefined) return;
  const takesNumber = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
  const max = action === 'SCMP_ACT_ERRNO' ? ERRNO_MAX : TRACE_DATA_MAX;
  if (!takesNumber) report(path, errno, `cannot be given with ${action}`);
  else if (errno > max) report(path, errno, `must be at most ${max} with ${action}`);
}
