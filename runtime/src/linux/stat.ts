/** statx(2): one structure on all architectures. */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from './open-flags.ts';

export interface FileStatus {
  /** File type and permissions, S_IF… */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** The device a device node stands for. */
  readonly nodeMajor: number;
  readonly nodeMinor: number;
}

const STATX_BASIC_STATS = 0x7ff;
const STATX_SIZE = 256;

/** Reads a `struct statx` (linux/stat.h) at the start of a buffer. */
export function decodeStatx(buffer: ArrayBuffer, offset = 0): FileStatus {
  const view = new DataView(buffer, offset);
  return {
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: view.getUint16(28, true),
    inode: Number(view.getBigUint64(32, true)),
    sizeBytes: Number(view.getBigUint64(40, true)),
    nodeMajor: view.getUint32(128, true),
    nodeMinor: view.getUint32(132, true),
    deviceMajor: view.getUint32(136, true),
    deviceMinor: view.getUint32(140, true),
  };
}

/** Status of an open file. */
export function statFd(sys: Sys, fd: number, object: string): FileStatus {
  const buffer = new ArrayBuffer(STATX_SIZE);
  call(sys, 'statx', object, fd, '', AT_EMPTY_PATH, STATX_BASIC_STATS, buffer);
  return decodeStatx(buffer);
}

/** Status of a path, symbolic links not followed; undefined when it cannot be had (no such file, no permission). */
export function lstat(sys: Sys, path: string, at: number = AT_FDCWD): FileStatus | undefined {
  const buffer = new ArrayBuffer(STATX_SIZE);
  return tryCall(sys, 'statx', at, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, buffer) < 0 ? undefined : decodeStatx(buffer);
}

/** Status of what a path leads to; undefined when it cannot be had. */
export function stat(sys: Sys, path: string, at: number = AT_FDCWD): FileStatus | undefined {
  const buffer = new ArrayBuffer(STATX_SIZE);
  return tryCall(sys, 'statx', at, path, 0, STATX_BASIC_STATS, buffer) < 0 ? undefined : decodeStatx(buffer);
}

/**
 * Tells a file from the one that was at the path before: inode, size, and the times of its last change in nanoseconds. Undefined when it cannot be had.
 */
export function fileIdentity(sys: Sys, path: string): string | undefined {
  const buffer = new ArrayBuffer(STATX_SIZE);
  if (tryCall(sys, 'statx', AT_FDCWD, path, 0, STATX_BASIC_STATS, buffer) < 0) return undefined;
  const view = new DataView(buffer);
  const nanoseconds = (offset: number): bigint =>
    view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true));
  return `${view.getBigUint64(32, true)}:${view.getBigUint64(40, true)}:${nanoseconds(112)}:${nanoseconds(96)}`;
}
