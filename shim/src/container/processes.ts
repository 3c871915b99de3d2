/** Who a process is: its pid alone is given to others after its end. */

import { hasErrorCode, readText } from './files.ts';

/** Field 22 of /proc/PID/stat (proc(5)): when it started, in clock ticks since boot. Undefined for no process, and for a zombie. */
export function processStartTime(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  let text: string | undefined;
  try {
    text = readText(`/proc/${pid}/stat`);
  } catch (error) {
    // The process ended between open and read.
    if (hasErrorCode(error, 'ESRCH')) return undefined;
    throw error;
  }
  if (text === undefined) return undefined;
  // The command's name, in parentheses, may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
