/** Files of the store: written as a whole or not at all. */

import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isNodeError } from '../base/errors.ts';

let serial = 0;

function writeTemporary(directory: string, content: string | Uint8Array, mode: number, isDurable = true): string {
  serial += 1;
  const temporary = `${directory}/.tmp-${process.pid}-${serial}`;
  const fd = openSync(temporary, 'wx', mode);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (isDurable) fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return temporary;
}

/**
 * Replaces a file: temporary beside it, fsync, rename, fsync of the directory. After a crash there is the old content or the new.
 * Temporaries of killed processes are named `.tmp-…` and are removed by gc.
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o644): void {
  const temporary = writeTemporary(dirname(path), content, mode);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Makes a file, whole, unless there is one: of several processes that try, the first one's content stays. */
export function createFile(path: string, content: string | Uint8Array, mode = 0o644): void {
  const temporary = writeTemporary(dirname(path), content, mode);
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (!isNodeError(error, 'EEXIST')) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  syncDirectory(dirname(path));
}

/** As replaceFile for content that can be found out again: readers see the old or the new, but a crash of the machine may leave neither. */
export function replaceHint(path: string, content: string): void {
  renameSync(writeTemporary(dirname(path), content, 0o644, false), path);
}

/** Makes a rename or removal in a directory last. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The text of a file, or undefined where there is none. */
export function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isNodeError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function makeDirectory(path: string, mode = 0o755): void {
  mkdirSync(path, { recursive: true, mode });
}
