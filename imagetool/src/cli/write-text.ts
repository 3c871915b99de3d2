/** Lines for standard output and standard error. */

import { writeSync } from 'node:fs';
import { isNodeError } from '../base/errors.ts';

const STREAMS = { 1: () => process.stdout, 2: () => process.stderr } as const;

/** Without Node's stream, which takes longer to load than most commands take; that is for those who have made the descriptor non-blocking. */
export function writeText(fd: 1 | 2, text: string): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch (error) {
    if (!isNodeError(error, 'EAGAIN')) throw error;
    STREAMS[fd]().write(rest);
  }
}
