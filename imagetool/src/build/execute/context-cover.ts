/**
 * What lies over a context that a step has mounted, so that it looks as a context does everywhere: whiteouts over the files that .dockerignore excludes,
 * and copies of those that somebody else than root owns, since in a context all is root's. Copies share blocks where the file system can.
 */

import { chmodSync, constants, copyFileSync, lutimesSync, mkdirSync, symlinkSync } from 'node:fs';
import { call } from '../../../../runtime/src/linux/call.ts';
import { AT_FDCWD, S_IFCHR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { toText } from '../../archive/byte-string.ts';
import { joinPath, pathArgument } from '../../layer/names.ts';
import { type FileRecord, isDirectory } from '../../layer/tree.ts';
import type { Origin } from '../copy/select.ts';

/** Covers what is at `path` and below it, in `directory`. False where nothing has to be. Byte strings. Throws the errors of copying. */
export function coverContext(
  sys: Sys,
  origin: Origin,
  { path, directory }: { readonly path: string; readonly directory: string },
): boolean {
  const record = origin.tree.find(path);
  if (record === undefined) return false;
  const cover = new Cover(sys, origin, directory);
  cover.visit(path, record);
  return cover.isNeeded;
}

class Cover {
  readonly #sys: Sys;
  readonly #origin: Origin;
  readonly #directory: string;
  isNeeded = false;

  constructor(sys: Sys, origin: Origin, directory: string) {
    this.#sys = sys;
    this.#origin = origin;
    this.#directory = directory;
  }

  /** What is named itself is mounted, excluded or not. */
  visit(path: string, record: FileRecord): void {
    if (!isDirectory(record)) {
      this.#copy(path, record);
      return;
    }
    const before = this.isNeeded;
    this.isNeeded = !isRoots(record);
    for (const [name, child] of this.#origin.tree.list(path)) this.#visitChild(joinPath(path, name), child);
    // A directory that lies on another one is seen with its own owner, mode and time.
    if (this.isNeeded) this.#placeDirectory(path, record);
    this.isNeeded ||= before;
  }

  #visitChild(path: string, record: FileRecord): void {
    const { filter } = this.#origin;
    const text = toText(path);
    if (!filter.excludes(text) || (isDirectory(record) && filter.mayIncludeBelow(text))) this.visit(path, record);
    else {
      this.#make(path);
      call(this.#sys, 'mknodat', text, AT_FDCWD, pathArgument(this.#at(path)), S_IFCHR, 0);
    }
  }

  #copy(path: string, record: FileRecord): void {
    if (isRoots(record)) return;
    const target = this.#make(path);
    const kind = record.mode & S_IFMT;
    if (kind === S_IFLNK) symlinkSync(Buffer.from(record.linkName, 'latin1'), target);
    else if (kind === S_IFIFO) call(this.#sys, 'mknodat', toText(path), AT_FDCWD, pathArgument(this.#at(path)), record.mode, 0);
    else if (kind === S_IFREG)
      copyFileSync(Buffer.from(this.#origin.tree.hostPath(path) ?? '', 'latin1'), target, constants.COPYFILE_FICLONE);
    // Sockets and devices of the machine are nothing that a context holds.
    else return;
    if (kind !== S_IFLNK) chmodSync(target, record.mode & 0o7777);
    lutimesSync(target, timeOf(record), timeOf(record));
  }

  #placeDirectory(path: string, record: FileRecord): void {
    const target = this.#make(path);
    mkdirSync(target, { recursive: true });
    chmodSync(target, record.mode & 0o7777);
    lutimesSync(target, timeOf(record), timeOf(record));
  }

  /** The host path of something to be made, whose parents are there. */
  #make(path: string): Buffer {
    this.isNeeded = true;
    mkdirSync(Buffer.from(this.#at(path.slice(0, Math.max(0, path.lastIndexOf('/')))), 'latin1'), { recursive: true });
    return Buffer.from(this.#at(path), 'latin1');
  }

  #at(path: string): string {
    return path === '' ? this.#directory : joinPath(this.#directory, path);
  }
}

function isRoots({ uid, gid }: FileRecord): boolean {
  return uid === 0 && gid === 0;
}

function timeOf({ mtimeSeconds, mtimeNanoseconds }: FileRecord): number {
  return mtimeSeconds + mtimeNanoseconds / 1e9;
}
