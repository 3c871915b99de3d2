/** What a tar archive says of one file. */

import { ImageError } from '../base/errors.ts';

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

export interface Timestamp {
  /** Since the epoch; negative before it. */
  readonly seconds: number;
  /** 0 to 999,999,999, added to the seconds. */
  readonly nanoseconds: number;
}

/** A stretch of a sparse file that has data; all else is zeros. */
export interface SparseRegion {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  /** Byte string, as it stands in the archive: it may be absolute, hold `..`, or end in a slash. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits with set-uid, set-gid and sticky: at most 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of the owners. Byte strings; empty where the archive has none. */
  readonly userName: string;
  readonly groupName: string;
  /** Bytes of the file, holes included. */
  readonly size: number;
  readonly mtime: Timestamp;
  readonly atime?: Timestamp;
  readonly ctime?: Timestamp;
  /** Target of a symbolic link or path of a hard link's first name. Byte string. */
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** By name (byte string), values in raw bytes. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly sparse?: readonly SparseRegion[];
}

/** Events of a reader: an entry, its data in order (with the offset in the file, which jumps over holes), its end. */
export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'end' };

/** An archive that is damaged, hostile, or of a kind not supported. */
export class TarError extends ImageError {
  constructor(message: string) {
    super('tar', `tar archive: ${message}`);
    this.name = 'TarError';
  }
}
