/** A container's log on disk: `path` is the newest file, `path.1` the one before it, and so on. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isMissing } from '../../container/files.ts';

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;

export interface LogFile {
  readonly fd: number;
  readonly path: string;
  /** When it was opened. */
  readonly size: number;
}

/** Oldest first. Opened before they are read: a rotation in between renames them, and changes nothing for who has them open. */
export function openLogFiles(path: string): LogFile[] {
  const files: LogFile[] = [];
  for (let index = 0; ; index += 1) {
    const file = openLogFile(index === 0 ? path : `${path}.${index}`);
    if (file === undefined) return files.reverse();
    files.push(file);
  }
}

export function openLogFile(path: string): LogFile | undefined {
  try {
    const fd = openSync(path, 'r');
    return { fd, path, size: fstatSync(fd).size };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function closeLogFiles(files: readonly LogFile[]): void {
  for (const { fd } of files) closeSync(fd);
}

export interface LogPosition {
  /** Index in the list of files. */
  readonly file: number;
  readonly offset: number;
}

/** Where the last `count` lines begin. Reads from the end, and no more than it needs. */
export function positionOfTail(files: readonly LogFile[], count: number): LogPosition {
  let left = count;
  for (let index = files.length - 1; index >= 0; index -= 1) {
    const file = files[index];
    if (file === undefined) break;
    if (left === 0) return { file: index, offset: file.size };
    const found = lineStart(file, left);
    if (found.lines >= left) return { file: index, offset: found.offset };
    left -= found.lines;
  }
  return { file: 0, offset: 0 };
}

/** The offset of the `wanted`th line from the end, and how many lines there are up to it. */
function lineStart(file: LogFile, wanted: number): { readonly lines: number; readonly offset: number } {
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let lines = 0;
  let end = file.size;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const length = readSync(file.fd, buffer, 0, end - start, start);
    for (let at = length - 1; at >= 0; at -= 1) {
      // The newline that ends the file ends its last line, and begins none.
      if (buffer[at] !== NEWLINE || start + at === file.size - 1) continue;
      lines += 1;
      if (lines === wanted) return { lines, offset: start + at + 1 };
    }
    end = start;
  }
  return { lines: file.size === 0 ? 0 : lines + 1, offset: 0 };
}

/** The lines from an offset on, with where they end. A last line that is not whole yet is left. */
export function* linesFrom(fd: number, offset: number): Generator<{ readonly line: string; readonly end: number }> {
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let rest = Buffer.alloc(0);
  let position = offset;
  for (;;) {
    const length = readSync(fd, buffer, 0, BLOCK_BYTES, position);
    if (length === 0) return;
    const bytes = rest.length === 0 ? buffer.subarray(0, length) : Buffer.concat([rest, buffer.subarray(0, length)]);
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      yield { line: bytes.toString('utf8', start, newline), end: position - rest.length + newline + 1 };
      start = newline + 1;
    }
    position += length;
    rest = Buffer.from(bytes.subarray(start));
  }
}
