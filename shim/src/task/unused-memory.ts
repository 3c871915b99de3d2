/**
 * Giving memory back when nothing happens: garbage, what malloc(3) keeps, and the pages of programs and libraries, which stay in the page cache and are
 * mapped again, one by one, when they are used again.
 */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { readFileIfExists } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';

const MADV_DONTNEED = 4;

export interface Mapping {
  readonly start: number;
  readonly bytes: number;
}

export function releaseMemory(sys: Sys): void {
  // There with --expose-gc.
  globalThis.gc?.();
  const trim = sys.symbol('libc.so.6', 'malloc_trim');
  if (trim !== 0) sys.call(trim, 0);
  const text = readFileIfExists(sys, '/proc/self/smaps') ?? '';
  for (const { start, bytes } of unwrittenFileMappings(text)) tryCall(sys, 'madvise', start, bytes, MADV_DONTNEED);
}

/**
 * Mappings of files that cannot be written and of which no page was: those are in the file as they are in memory. Pure.
 * @param smaps as in proc_pid_smaps(5)
 */
export function unwrittenFileMappings(smaps: string): Mapping[] {
  return smaps
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((mapping) => /^\S+ r-[-x]p .* \/.*$/m.test(mapping) && /^Anonymous:\s+0 kB$/m.test(mapping))
    .map((mapping) => {
      const [, start = '', end = ''] = /^([0-9a-f]+)-([0-9a-f]+)/.exec(mapping) ?? [];
      const first = Number.parseInt(start, 16);
      return { start: first, bytes: Number.parseInt(end, 16) - first };
    });
}
