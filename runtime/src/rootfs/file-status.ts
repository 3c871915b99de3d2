/** What of a file's status a copy of it needs. */
import { type Data, struct } from '../init/program.ts';
import { decodeStatx, type FileStatus } from '../linux/stat.ts';

/** Of `struct statx` (linux/stat.h). */
const ATTRIBUTES = 8;
const LINKS = 16;
const ATIME = 64;
const MTIME = 112;
/** STATX_ATTR_MOUNT_ROOT, Linux 5.8. */
const MOUNT_ROOT = 0x2000n;

/** Seconds since the epoch, and nanoseconds. */
export type Time = readonly [bigint, number];

export interface CopyStatus extends FileStatus {
  readonly links: number;
  readonly accessed: Time;
  readonly modified: Time;
  /** Something is mounted there; the status is that of the mount. */
  readonly mountPoint: boolean;
  /** The same for all names of a file. */
  readonly identity: string;
}

export function decodeCopyStatus(buffer: ArrayBuffer): CopyStatus {
  const view = new DataView(buffer);
  const time = (offset: number): Time => [view.getBigInt64(offset, true), view.getUint32(offset + 8, true)];
  const status = decodeStatx(buffer);
  return {
    ...status,
    links: view.getUint32(LINKS, true),
    accessed: time(ATIME),
    modified: time(MTIME),
    mountPoint: (view.getBigUint64(ATTRIBUTES, true) & MOUNT_ROOT) !== 0n,
    identity: `${status.deviceMajor}:${status.deviceMinor}:${view.getBigUint64(32, true)}`,
  };
}

/** For utimensat(2). */
export function timesOf({ accessed, modified }: CopyStatus): Data {
  return struct([
    [8, accessed[0]],
    [8, accessed[1]],
    [8, modified[0]],
    [8, modified[1]],
  ]);
}
