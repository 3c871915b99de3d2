/** Error numbers by name, and their texts. */
import { SyscallError, type SyscallFailure } from '../base/errors.ts';
import { ERRNO_TABLE } from './errno-table.ts';

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const EMFILE = 24;
export const ENOTTY = 25;
export const ENOSPC = 28;
export const EROFS = 30;
export const EPIPE = 32;
export const ERANGE = 34;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const ENODATA = 61;
export const EOVERFLOW = 75;
export const EOPNOTSUPP = 95;
export const EADDRINUSE = 98;
export const ECONNRESET = 104;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;

/** The words libc has for an errno: "no such file or directory". */
export function errnoText(errno: number): string {
  return ERRNO_TABLE.find(([number]) => number === errno)?.[2] ?? `errno ${errno}`;
}

/** The name of an errno: "ENOENT". */
export function errnoName(errno: number): string {
  return ERRNO_TABLE.find(([number]) => number === errno)?.[1] ?? `errno ${errno}`;
}

/** Makes the error of a failed call. `message` replaces the default "syscall object" in front of the errno's words. */
export function syscallError(failure: SyscallFailure, message?: string): SyscallError {
  const what = message ?? (failure.object === undefined ? failure.syscall : `${failure.syscall} ${failure.object}`);
  return new SyscallError(failure, `${what}: ${errnoText(failure.errno)}`);
}

/** Whether an error is a failed system call with one of these numbers. */
export function isErrno(error: unknown, ...numbers: readonly number[]): error is SyscallError {
  return error instanceof SyscallError && numbers.includes(error.errno);
}
