/** The one place where results of raw system calls become values or errors. */
import type { CallArgument, Sys } from '../sys/sys.ts';
import { EINTR, syscallError } from './errno.ts';
import { type SyscallName, syscallNumber } from './syscall-numbers.ts';

/** A system call by name: the result, or the negated errno. Interrupted calls are made again. */
export function tryCall(sys: Sys, name: SyscallName, ...args: CallArgument[]): number {
  const nr = syscallNumber(sys.arch, name);
  for (;;) {
    const result = sys.syscall(nr, ...args);
    if (result !== -EINTR) return result;
  }
}

/** As `tryCall`, but a failure is thrown as `SyscallError` about `object`. */
export function call(sys: Sys, name: SyscallName, object: string, ...args: CallArgument[]): number {
  const result = tryCall(sys, name, ...args);
  if (result < 0) throw syscallError({ syscall: name, errno: -result, object });
  return result;
}
