/** Extended attributes (xattr(7)) from one open file to another, by an agent. */
import type { Init } from '../init/init-process.ts';
import { data, type Program } from '../init/program.ts';
import { ERANGE } from '../linux/errno.ts';
import { describeName, type FileName } from './directory-entries.ts';

/** For most files more than enough; a longer list is asked for once more. */
export const LISTING_BYTES = 512;
/** XATTR_LIST_MAX and XATTR_SIZE_MAX. */
const MAX_BYTES = 65_536;

export interface AttributeSource {
  /** Open in the agent. */
  readonly source: number;
  readonly target: number;
  /** What flistxattr(2) answered, and its result. */
  readonly listing: ArrayBuffer;
  readonly listed: number;
}

/** What overlayfs keeps for itself says nothing on another file system. */
const LEFT_OUT = /^trusted\.overlay\./;

/** An attribute that the target's file system has no place for, or that may not be set here, is left out. */
export function copyExtendedAttributes(init: Init, begin: () => Program, file: AttributeSource): void {
  for (const name of listedNames(init, begin, file)) {
    if (LEFT_OUT.test(describeName(name))) continue;
    const reading = begin();
    const value = reading.output(MAX_BYTES);
    const length = reading.call('fgetxattr', [file.source, data(name), value, MAX_BYTES], { ignore: 'all' });
    const results = init.run(reading);
    if (results.value(length) < 0) continue;
    const bytes = new Uint8Array(results.output(value), 0, results.value(length));
    const writing = begin();
    writing.call('fsetxattr', [file.target, data(name), data(bytes), bytes.length, 0], { ignore: 'all' });
    init.run(writing);
  }
}

function listedNames(init: Init, begin: () => Program, file: AttributeSource): FileName[] {
  if (file.listed !== -ERANGE) return splitNames(file.listing, file.listed);
  const program = begin();
  const listing = program.output(MAX_BYTES);
  const length = program.call('flistxattr', [file.source, listing, MAX_BYTES]);
  const results = init.run(program);
  return splitNames(results.output(listing), results.value(length));
}

function splitNames(listing: ArrayBuffer, length: number): FileName[] {
  const bytes = new Uint8Array(listing);
  const names: FileName[] = [];
  for (let start = 0; start < length; ) {
    const end = bytes.indexOf(0, start) + 1;
    names.push(bytes.slice(start, end));
    start = end;
  }
  return names;
}
