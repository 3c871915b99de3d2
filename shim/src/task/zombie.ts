/** How a dead process of somebody else has ended, as long as its parent has not asked. */
import { ESRCH, isErrno } from '../../../runtime/src/linux/errno.ts';
import { readFileIfExists } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';

/** Field 52 of proc_pid_stat(5). Undefined when there is no such zombie. */
export function waitStatusOfZombie(sys: Sys, pid: number, startTime: number): number | undefined {
  let text: string | undefined;
  try {
    text = readFileIfExists(sys, `/proc/${pid}/stat`);
  } catch (error) {
    if (!isErrno(error, ESRCH)) throw error;
  }
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' && Number(fields[19]) === startTime ? Number(fields[49]) : undefined;
}
