/** Flags of seccomp(2), SECCOMP_SET_MODE_FILTER. */
import { SECCOMP_FLAGS, type Seccomp, type SeccompFlag } from '../../../specs/runtime/linux/seccomp.ts';
import { tryCall } from '../linux/call.ts';
import { EFAULT } from '../linux/errno.ts';
import type { Sys } from '../sys/sys.ts';

export const SECCOMP_SET_MODE_FILTER = 1;
export const FLAG_NEW_LISTENER = 8;

/**
 * The kernel's bits. TSYNC is accepted and needs nothing: the process that loads the filter has one thread when the container's program starts, and
 * with a listener a second one that must not be filtered.
 */
export const FLAG_VALUES: Readonly<Record<SeccompFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

/** As runc: with no list of flags at all (an empty list is one) a filter does not slow the process down by speculation mitigations. */
const DEFAULT_FLAGS: readonly SeccompFlag[] = ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'];

/** Bits for the kernel, without those that are the runtime's own business. */
export function filterFlags(seccomp: Seccomp): number {
  return (seccomp.flags ?? DEFAULT_FLAGS).reduce((bits, flag) => bits | FLAG_VALUES[flag], 0);
}

/** The flags that this kernel takes (it is asked, and nothing is loaded: without a program it answers EFAULT to a flag it knows). */
export function supportedFlags(sys: Sys): SeccompFlag[] {
  return SECCOMP_FLAGS.filter((flag) => {
    const needsListener = flag === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' ? FLAG_NEW_LISTENER : 0;
    return tryCall(sys, 'seccomp', SECCOMP_SET_MODE_FILTER, FLAG_VALUES[flag] | needsListener, null) === -EFAULT;
  });
}
