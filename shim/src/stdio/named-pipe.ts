/** Named pipes, opened so that neither end ever waits for the other (fifo(7)). */
import { RuntimeError } from '../../../runtime/src/base/errors.ts';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EEXIST, ENOENT, isErrno, syscallError } from '../../../runtime/src/linux/errno.ts';
import { close, open } from '../../../runtime/src/linux/files.ts';
import { AT_FDCWD, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, S_IFIFO, S_IFMT } from '../../../runtime/src/linux/open-flags.ts';
import { stat } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { StatusCode, StatusError } from '../base/status.ts';

const F_GETFL = 3;
const F_SETFL = 4;
const PRIVATE = 0o600;

export function isNamedPipe(sys: Sys, path: string): boolean {
  return ((stat(sys, path)?.mode ?? 0) & S_IFMT) === S_IFIFO;
}

/** Makes a pipe of ours, if it is not there. */
export function makeNamedPipe(sys: Sys, path: string): void {
  const result = tryCall(sys, 'mknodat', AT_FDCWD, path, S_IFIFO | PRIVATE, 0);
  if (result < 0 && result !== -EEXIST) throw syscallError({ syscall: 'mknodat', errno: -result, object: path });
}

/** For reading, without blocking. It is at its end whenever nobody has it open for writing and it is empty. */
export function openReader(sys: Sys, path: string): number {
  return opened(() => open(sys, path, { flags: O_RDONLY | O_NONBLOCK }), path);
}

/**
 * For writing, without blocking. It is open for reading, too: a client that goes away and comes back finds what was written meanwhile, and nobody
 * who writes is killed by SIGPIPE.
 */
export function openKeptWriter(sys: Sys, path: string): number {
  return opened(() => open(sys, path, { flags: O_RDWR | O_NONBLOCK }), path);
}

/** For a process that writes, and waits when the pipe is full. */
export function openForProcess(sys: Sys, path: string): number {
  return opened(() => open(sys, path, { flags: O_RDWR }), path);
}

export interface Input {
  /** Reading end. It waits for bytes if it was asked for `blocking`. */
  readonly reader: number;
  /** A writing end that writes nothing: while it is open, a client that goes away is not the end of the input. */
  readonly keeper: number;
}

/** Both descriptors are the caller's. */
export function openInput(sys: Sys, path: string, options: { readonly blocking: boolean }): Input {
  const reader = openReader(sys, path);
  try {
    const keeper = opened(() => open(sys, path, { flags: O_WRONLY | O_NONBLOCK }), path);
    if (options.blocking) call(sys, 'fcntl', path, reader, F_SETFL, call(sys, 'fcntl', path, reader, F_GETFL) & ~O_NONBLOCK);
    return { reader, keeper };
  } catch (error) {
    close(sys, reader);
    throw error;
  }
}

export function setNonBlocking(sys: Sys, fd: number): void {
  tryCall(sys, 'fcntl', fd, F_SETFL, tryCall(sys, 'fcntl', fd, F_GETFL) | O_NONBLOCK);
}

function opened(action: () => number, path: string): number {
  try {
    return action();
  } catch (error) {
    if (isErrno(error, ENOENT)) throw new StatusError(StatusCode.notFound, `the named pipe ${path} is not there: no such file`, error);
    if (error instanceof RuntimeError) throw new StatusError(StatusCode.unknown, error.message, error);
    throw error;
  }
}
