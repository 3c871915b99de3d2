/** Execution of another program in the place of this one: execv(3). */
import type { Sys } from '../sys/sys.ts';
import { syscallError } from './errno.ts';
import { libc, stringVector } from './libc.ts';

export interface Program {
  /** Absolute. */
  readonly path: string;
  readonly argv: readonly string[];
  /** Variables of the environment that it is not given. */
  readonly without: readonly string[];
}

/**
 * Returns only by throwing. The rest of the environment is passed on as it is, byte for byte: it never becomes text here. Not for Node: its threads
 * and signal handlers would be in the way.
 */
export function become(sys: Sys, { path, argv, without }: Program): never {
  const unsetenv = libc(sys, 'unsetenv');
  for (const name of without) sys.call(unsetenv, name);
  const errnoLocation = libc(sys, '__errno_location');
  sys.call(libc(sys, 'execv'), path, stringVector(sys, argv));
  const errno = new DataView(sys.peek(sys.call(errnoLocation), 4)).getInt32(0, true);
  throw syscallError({ syscall: 'execve', errno, object: path });
}
