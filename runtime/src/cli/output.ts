/** A command's output. */
import { writeAll } from '../linux/files.ts';
import type { Sys } from '../sys/sys.ts';

const STDOUT = 1;

export function print(sys: Sys, text: string): void {
  writeAll(sys, STDOUT, text, 'standard output');
}
