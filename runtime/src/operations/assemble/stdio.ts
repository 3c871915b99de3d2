/** Who owns the standard streams. */
import type { Process } from '../../../../specs/runtime/process.ts';
import { EBADF, isErrno } from '../../linux/errno.ts';
import { S_IFCHR, S_IFIFO, S_IFMT } from '../../linux/open-flags.ts';
import { type FileStatus, statFd } from '../../linux/stat.ts';
import type { Context } from '../context/context.ts';

/**
 * The standard streams that the process's user should own, so that opening /dev/stdout or /proc/self/fd/1 works for others than root. A detached
 * process gets all that were given to it, as from runc. Beside a command that stays they may be the user's own terminal or file: only pipes
 * are handed over. Never /dev/null, which is everybody's. A process with a terminal has that one for its streams.
 */
export function streamsToOwn(context: Context, process: Process | undefined, detached: boolean): number[] {
  if (process?.terminal === true) return [];
  return [0, 1, 2].filter((stream) => {
    const status = streamStatus(context, context.caller.stdio[stream] ?? -1);
    if (status === undefined || isNullDevice(status)) return false;
    return detached || (status.mode & S_IFMT) === S_IFIFO;
  });
}

function streamStatus({ sys }: Context, fd: number): FileStatus | undefined {
  try {
    return statFd(sys, fd, `descriptor ${fd}`);
  } catch (error) {
    if (isErrno(error, EBADF)) return undefined;
    throw error;
  }
}

function isNullDevice(status: FileStatus): boolean {
  return (status.mode & S_IFMT) === S_IFCHR && status.nodeMajor === 1 && status.nodeMinor === 3;
}
