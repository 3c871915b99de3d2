/**
 * Files by descriptor and path, on the host's side. Every descriptor is close-on-exec and belongs to the caller, who closes it.
 * Paths inside a container's root are never opened here: see `rootfs/`.
 */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { EEXIST, ENOENT, ENOSPC, syscallError } from './errno.ts';
import { AT_FDCWD, AT_REMOVEDIR, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_PATH, O_RDONLY, O_TRUNC, O_WRONLY } from './open-flags.ts';

const SEEK_CUR = 1;

export interface OpenOptions {
  readonly flags?: number;
  readonly mode?: number;
  /** Directory that a relative path starts from. */
  readonly at?: number;
}

export function open(sys: Sys, path: string, options: OpenOptions = {}): number {
  return call(sys, 'openat', path, options.at ?? AT_FDCWD, path, (options.flags ?? O_RDONLY) | O_CLOEXEC, options.mode ?? 0);
}

/** As `open`, or the negated errno. */
export function tryOpen(sys: Sys, path: string, options: OpenOptions = {}): number {
  return tryCall(sys, 'openat', options.at ?? AT_FDCWD, path, (options.flags ?? O_RDONLY) | O_CLOEXEC, options.mode ?? 0);
}

export function openDirectory(sys: Sys, path: string, at?: number): number {
  return open(sys, path, { flags: O_PATH | O_DIRECTORY(sys.arch), ...(at === undefined ? {} : { at }) });
}

export function close(sys: Sys, fd: number): void {
  // EINTR from close(2) means closed on Linux; any other error tells of a wrong descriptor and nothing can be done about it here.
  tryCall(sys, 'close', fd);
}

/** Most files that are read (records, procfs, cgroupfs) are smaller. */
const CHUNK_BYTES = 4096;

/** Reads to the end of the file. Fails with EFBIG's kin when more than `limitBytes` come. */
export function readAll(sys: Sys, fd: number, object: string, limitBytes = 64 * 1024 * 1024): ArrayBuffer {
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  let length = 0;
  for (;;) {
    if (length === buffer.byteLength) {
      if (length >= limitBytes) throw syscallError({ syscall: 'read', errno: 27, object });
      const larger = new ArrayBuffer(length * 4);
      new Uint8Array(larger).set(new Uint8Array(buffer));
      buffer = larger;
    }
    const read = call(sys, 'read', object, fd, sys.address(buffer) + length, buffer.byteLength - length);
    if (read === 0) return length === buffer.byteLength ? buffer : buffer.slice(0, length);
    length += read;
  }
}

export function readFile(sys: Sys, path: string, at?: number): string {
  const fd = open(sys, path, at === undefined ? {} : { at });
  try {
    return sys.decode(readAll(sys, fd, path));
  } finally {
    close(sys, fd);
  }
}

/** The file's text, or undefined where there is no such file. */
export function readFileIfExists(sys: Sys, path: string, at?: number): string | undefined {
  const fd = tryOpen(sys, path, at === undefined ? {} : { at });
  if (fd === -ENOENT) return undefined;
  if (fd < 0) throw syscallError({ syscall: 'openat', errno: -fd, object: path });
  try {
    return sys.decode(readAll(sys, fd, path));
  } finally {
    close(sys, fd);
  }
}

export function writeAll(sys: Sys, fd: number, data: ArrayBuffer | string, object: string): void {
  const bytes = typeof data === 'string' ? sys.encode(data) : data;
  const start = sys.address(bytes);
  let written = 0;
  while (written < bytes.byteLength) written += call(sys, 'write', object, fd, start + written, bytes.byteLength - written);
}

/** Writes an existing kernel file (procfs, sysfs, cgroupfs) in one write(2), as such files demand. */
export function writeKernelFile(sys: Sys, path: string, text: string, at?: number): void {
  const fd = open(sys, path, { flags: O_WRONLY, ...(at === undefined ? {} : { at }) });
  try {
    const bytes = sys.encode(text);
    call(sys, 'write', path, fd, bytes, bytes.byteLength);
  } finally {
    close(sys, fd);
  }
}

export interface WriteFileOptions {
  readonly mode: number;
  readonly at?: number;
}

/** Appends in one write(2), and sets the mode, so that the umask has no say. A failed write leaves the file as it was. */
export function appendFile(sys: Sys, path: string, text: string, options: WriteFileOptions): void {
  const at = options.at ?? AT_FDCWD;
  const fd = open(sys, path, { flags: O_WRONLY | O_CREAT | O_APPEND, mode: options.mode, at });
  try {
    call(sys, 'fchmod', path, fd, options.mode);
    const bytes = sys.encode(text);
    const written = tryCall(sys, 'write', fd, bytes, bytes.byteLength);
    if (written === bytes.byteLength) return;
    if (written > 0) call(sys, 'ftruncate', path, fd, call(sys, 'lseek', path, fd, 0, SEEK_CUR) - written);
    throw syscallError({ syscall: 'write', errno: written < 0 ? -written : ENOSPC, object: path });
  } finally {
    close(sys, fd);
  }
}

/**
 * Replaces a file as a whole: temporary name beside it, fchmod (so that the umask has no say), rename. A reader sees the old text or the new one.
 * A failed write leaves the old file and no temporary.
 */
export function replaceFile(sys: Sys, path: string, data: ArrayBuffer | string, options: WriteFileOptions): void {
  const at = options.at ?? AT_FDCWD;
  const temporary = `${path}.tmp-${call(sys, 'getpid', '')}`;
  const fd = open(sys, temporary, { flags: O_WRONLY | O_CREAT | O_TRUNC, mode: options.mode, at });
  try {
    try {
      call(sys, 'fchmod', temporary, fd, options.mode);
      writeAll(sys, fd, data, path);
    } finally {
      close(sys, fd);
    }
    call(sys, 'renameat2', path, at, temporary, at, path, 0);
  } catch (error) {
    tryCall(sys, 'unlinkat', at, temporary, 0);
    throw error;
  }
}

export function unlink(sys: Sys, path: string, at: number = AT_FDCWD): void {
  const result = tryCall(sys, 'unlinkat', at, path, 0);
  if (result < 0 && result !== -ENOENT) throw syscallError({ syscall: 'unlinkat', errno: -result, object: path });
}

export function rmdir(sys: Sys, path: string, at: number = AT_FDCWD): void {
  const result = tryCall(sys, 'unlinkat', at, path, AT_REMOVEDIR);
  if (result < 0 && result !== -ENOENT) throw syscallError({ syscall: 'rmdir', errno: -result, object: path });
}

/** Makes a directory with exactly this mode. Returns false when it is there already. */
export function mkdir(sys: Sys, path: string, mode: number, at: number = AT_FDCWD): boolean {
  const result = tryCall(sys, 'mkdirat', at, path, mode);
  if (result === -EEXIST) return false;
  if (result < 0) throw syscallError({ syscall: 'mkdirat', errno: -result, object: path });
  // The umask is the caller's, and may take away even the owner's rights. Where modes cannot be changed (resctrl) there is none to correct.
  tryCall(sys, 'fchmodat', at, path, mode);
  return true;
}

/** mkdir -p for an absolute host path. */
export function mkdirAll(sys: Sys, path: string, mode: number): void {
  if (tryCall(sys, 'faccessat', AT_FDCWD, path, 0) === 0) return;
  const parts = path.split('/').filter((part) => part !== '');
  let prefix = path.startsWith('/') ? '' : '.';
  for (const part of parts) {
    prefix += `/${part}`;
    mkdir(sys, prefix, mode);
  }
}

export function readLink(sys: Sys, path: string, at: number = AT_FDCWD): string {
  const buffer = new ArrayBuffer(4096);
  const length = call(sys, 'readlinkat', path, at, path, buffer, buffer.byteLength);
  return sys.decode(buffer, 0, length);
}

/** Names in a directory, without `.` and `..`, in the kernel's order. `fd` must be open for reading. */
export function readDirectory(sys: Sys, fd: number, object: string): string[] {
  const names: string[] = [];
  const buffer = new ArrayBuffer(32768);
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  for (;;) {
    const length = call(sys, 'getdents64', object, fd, buffer, buffer.byteLength);
    if (length === 0) return names;
    for (let offset = 0; offset < length; ) {
      const recordLength = view.getUint16(offset + 16, true);
      const start = offset + 19;
      const name = sys.decode(buffer, start, bytes.indexOf(0, start) - start);
      if (name !== '.' && name !== '..') names.push(name);
      offset += recordLength;
    }
  }
}

export function listDirectory(sys: Sys, path: string, at?: number): string[] {
  const fd = open(sys, path, { flags: O_RDONLY | O_DIRECTORY(sys.arch), ...(at === undefined ? {} : { at }) });
  try {
    return readDirectory(sys, fd, path);
  } finally {
    close(sys, fd);
  }
}
