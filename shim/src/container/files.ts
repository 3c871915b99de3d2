/** Small files that are replaced whole: a reader, or the next start after a crash, finds the old content or the new. */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

let serial = 0;

/** Not flushed to the disk: what it says of processes is void after a crash of the machine, and a start must not wait for a disk. */
export function replaceText(path: string, text: string, mode = 0o644): void {
  serial += 1;
  const temporary = `${path}.tmp-${process.pid}-${serial}`;
  try {
    writeFileSync(temporary, text, { mode, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT', 'ENOTDIR');
}

/** Nothing can be written now; what is to end, or to be removed, must not wait for it. */
export function isDiskFull(error: unknown): boolean {
  return hasErrorCode(error, 'ENOSPC', 'EDQUOT');
}

/** Not by `instanceof`: test runners have an Error of their own. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

export function messageOf(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String((error as { message: unknown }).message)
    : String(error);
}
