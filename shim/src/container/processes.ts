/** Who a process is: its pid alone is given to others after its end. */

import { nodeFolderReader } from './node-folder-reader.ts';
import { startTimeIn } from './process-stat.ts';

/** Field 22 of /proc/PID/stat. Undefined for no process, and for a zombie. */
export function processStartTime(pid: number): string | undefined {
  return pid <= 0 ? undefined : startTimeIn(nodeFolderReader.text(`/proc/${pid}/stat`));
}
