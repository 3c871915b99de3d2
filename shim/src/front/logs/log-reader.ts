/** Reading a log in order: from the tail, within times, and on while it grows, over rotations. */

import { closeSync, fstatSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMissing } from '../../container/files.ts';
import { closeLogFiles, type LogFile, linesFrom, openLogFile, openLogFiles, positionOfTail } from './log-files.ts';

export interface LogEntry {
  readonly log: string;
  readonly stream: 'stdout' | 'stderr';
  readonly time: string;
  readonly attrs?: Readonly<Record<string, string>>;
}

export interface LogOptions {
  readonly path: string;
  /** Undefined: all. */
  readonly tail: number | undefined;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Asked when all has been read: whether more may come. Undefined: not waited for. */
  readonly mayGrow: (() => boolean) | undefined;
}

const LOOK_MS = 100;

export async function* readLog(options: LogOptions): AsyncGenerator<LogEntry> {
  const files = openLogFiles(options.path);
  try {
    const start = options.tail === undefined ? { file: 0, offset: 0 } : positionOfTail(files, options.tail);
    let last = { offset: 0, file: files.at(-1) };
    for (const [index, file] of files.entries()) {
      if (index < start.file) continue;
      let offset = index === start.file ? start.offset : 0;
      for (const { line, end } of linesFrom(file.fd, offset)) {
        offset = end;
        const entry = entryOf(line, options);
        if (entry === 'over') return;
        if (entry !== undefined) yield entry;
      }
      last = { offset, file };
    }
    if (options.mayGrow !== undefined) yield* follow(options, options.mayGrow, last.file, last.offset);
  } finally {
    closeLogFiles(files);
  }
}

/** The file that is open is read to its end before the one that has taken its place. */
async function* follow(options: LogOptions, mayGrow: () => boolean, first: LogFile | undefined, start: number): AsyncGenerator<LogEntry> {
  let file = first;
  let offset = start;
  for (;;) {
    // Asked before reading: what is written until then is read below.
    const isLast = !mayGrow();
    file ??= openLogFile(options.path);
    const isReplaced = file !== undefined && hasBeenReplaced(file);
    if (file !== undefined) {
      for (const { line, end } of linesFrom(file.fd, offset)) {
        offset = end;
        const entry = entryOf(line, options);
        if (entry === 'over') return;
        if (entry !== undefined) yield entry;
      }
    }
    if (isReplaced) {
      if (file !== undefined && file !== first) closeSync(file.fd);
      [file, offset] = [undefined, 0];
    } else if (isLast || Date.now() > options.untilMs) {
      if (file !== undefined && file !== first) closeSync(file.fd);
      return;
    } else await sleep(LOOK_MS);
  }
}

function hasBeenReplaced(file: LogFile): boolean {
  try {
    return statSync(file.path).ino !== fstatSync(file.fd).ino;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** `over`: it, and all that come, are later than is wanted. A line that a crash has cut is left out. */
function entryOf(line: string, { sinceMs, untilMs }: LogOptions): LogEntry | 'over' | undefined {
  let entry: LogEntry;
  try {
    entry = JSON.parse(line) as LogEntry;
  } catch {
    return undefined;
  }
  const ms = Date.parse(entry.time);
  if (ms > untilMs) return 'over';
  return ms < sinceMs ? undefined : entry;
}
