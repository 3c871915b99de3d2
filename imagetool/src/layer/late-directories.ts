/**
 * Directories get their times when everything is in them, and, where a user without privileges unpacks, a mode that denies that user its use.
 */

import { call } from '../../../runtime/src/linux/call.ts';
import { toText } from '../archive/byte-string.ts';
import type { Timestamp } from '../archive/tar-entry.ts';
import type { MetadataWriter } from './metadata.ts';
import type { RootDirectory } from './root-directory.ts';

interface Late {
  readonly mtime?: Timestamp;
  readonly mode?: number;
}

export class LateDirectories {
  readonly #late = new Map<string, Late>();

  set(path: string, late: Late): void {
    this.#late.set(path, { ...this.#late.get(path), ...late });
  }

  /** What was there has been removed. */
  forget(path: string): void {
    if (!this.#late.has(path)) return;
    for (const known of this.#late.keys()) if (known === path || known.startsWith(`${path}/`)) this.#late.delete(known);
  }

  apply(root: RootDirectory, metadata: MetadataWriter): void {
    // Longest first: below a directory that denies its use nothing can be reached.
    for (const [path, { mtime, mode }] of [...this.#late].sort(([a], [b]) => b.length - a.length)) {
      const directory = root.find(path);
      if (directory === undefined) continue;
      if (mode !== undefined) call(root.sys, 'fchmod', toText(path), directory.fd, mode);
      if (mtime !== undefined) metadata.setTimes(directory.fd, null, mtime);
    }
  }
}
