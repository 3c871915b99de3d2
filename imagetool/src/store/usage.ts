/** Bytes on disk, counted as du(1) counts them: allocated blocks, directories too, an inode with many names once. */

import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { isNodeError } from '../base/errors.ts';

const BLOCK_BYTES = 512;

export class DiskUsage {
  readonly #seen = new Set<string>();

  /** Bytes that `path` and all below it take, less what this counter has seen before under another name. Vanishing files are no error. */
  add(path: string): number {
    const status = statIfExists(path);
    if (status === undefined) return 0;
    const own = this.#own(status);
    if (!status.isDirectory()) return own;
    let total = own;
    for (const entry of entriesIfExists(path)) total += this.add(join(path, entry.name));
    return total;
  }

  /** As `add`, for the directory's own blocks, without what is in it. */
  addSelf(path: string): number {
    const status = statIfExists(path);
    return status === undefined ? 0 : this.#own(status);
  }

  #own(status: Stats): number {
    if (status.nlink > 1 && !status.isDirectory()) {
      const identity = `${status.dev}:${status.ino}`;
      if (this.#seen.has(identity)) return 0;
      this.#seen.add(identity);
    }
    return status.blocks * BLOCK_BYTES;
  }
}

function statIfExists(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function entriesIfExists(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
