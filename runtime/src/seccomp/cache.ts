/**
 * Compiled filters on disk. Compiling a profile of docker's size takes milliseconds; reading what was compiled before takes a fraction of one.
 *
 * A file is named by a hash and the length of its key, and holds the key, the mark of the library that compiled (so that a new one is noticed without being loaded),
 * the program and a checksum. The key decides, not its hash: a collision costs time and nothing else. The directory must be the user's own and open to
 * nobody else. Whatever does not fit is ignored, and made anew.
 */
import { SyscallError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { close, listDirectory, mkdir, readAll, readFile, replaceFile, tryOpen, unlink } from '../linux/files.ts';
import { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, S_IFMT, S_IFREG } from '../linux/open-flags.ts';
import { stat, statFd } from '../linux/stat.ts';
import type { Sys } from '../sys/sys.ts';
import { INSTRUCTION_BYTES } from './classic-bpf.ts';
import { libraryPath } from './library.ts';

/** The format's name and version; part of it is how programs are made of profiles. */
const MAGIC = 0x32435354;
/** Magic, then the bytes of key, mark and program, then the checksum. */
const HEADER_WORDS = 5;
const HEADER_BYTES = HEADER_WORDS * 4;
const PRIVATE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;
/** A host has few profiles. When there are more, the cache begins anew. */
const FILES_MAX = 64;
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** The program compiled for this key, or undefined. */
export function readCached(sys: Sys, directory: string, key: string): ArrayBuffer | undefined {
  return within(sys, directory, (directoryFd) => {
    const fd = tryOpen(sys, fileName(sys, key), { flags: O_RDONLY | O_NOFOLLOW(sys.arch), at: directoryFd });
    if (fd < 0) return undefined;
    try {
      const { mode, sizeBytes } = statFd(sys, fd, directory);
      if ((mode & S_IFMT) !== S_IFREG || sizeBytes > FILE_BYTES_MAX) return undefined;
      return decodeEntry(sys, readAll(sys, fd, directory), key);
    } finally {
      close(sys, fd);
    }
  });
}

/** Keeps a program that was just compiled. What cannot be kept is compiled again another time. */
export function writeCached(sys: Sys, directory: string, key: string, program: ArrayBuffer): void {
  const mark = libraryMark(sys, libraryPath(readFile(sys, '/proc/self/maps')) ?? '');
  if (mark === undefined) return;
  try {
    mkdir(sys, directory, PRIVATE);
    within(sys, directory, (directoryFd) => {
      const names = listDirectory(sys, '.', directoryFd);
      if (names.length >= FILES_MAX) for (const name of names) unlink(sys, name, directoryFd);
      replaceFile(sys, fileName(sys, key), encodeEntry(sys, { key, mark, program }), { mode: FILE_MODE, at: directoryFd });
    });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}

/** Runs `body` with the directory if it is there and nobody else can have written to it. */
function within<T>(sys: Sys, directory: string, body: (fd: number) => T): T | undefined {
  const fd = tryOpen(sys, directory, { flags: O_RDONLY | O_DIRECTORY(sys.arch) | O_NOFOLLOW(sys.arch) });
  if (fd < 0) return undefined;
  try {
    const { mode, uid } = statFd(sys, fd, directory);
    return uid === tryCall(sys, 'geteuid') && (mode & OTHERS) === 0 ? body(fd) : undefined;
  } finally {
    close(sys, fd);
  }
}

interface Entry {
  readonly key: string;
  readonly mark: string;
  readonly program: ArrayBuffer;
}

function encodeEntry(sys: Sys, { key, mark, program }: Entry): ArrayBuffer {
  const parts = [sys.encode(key), sys.encode(mark), program];
  const entry = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, HEADER_BYTES));
  const header = new Uint32Array(entry.buffer, 0, HEADER_WORDS);
  header.set([MAGIC, ...parts.map((part) => part.byteLength), checksum(program)]);
  let offset = HEADER_BYTES;
  for (const part of parts) {
    entry.set(new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  return entry.buffer;
}

function decodeEntry(sys: Sys, bytes: ArrayBuffer, key: string): ArrayBuffer | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  const [magic, keyBytes = 0, markBytes = 0, programBytes = 0, sum] = new Uint32Array(bytes, 0, HEADER_WORDS);
  const programStart = HEADER_BYTES + keyBytes + markBytes;
  if (magic !== MAGIC || bytes.byteLength !== programStart + programBytes) return undefined;
  if (programBytes === 0 || programBytes % INSTRUCTION_BYTES !== 0) return undefined;
  if (sys.decode(bytes, HEADER_BYTES, keyBytes) !== key) return undefined;
  const mark = sys.decode(bytes, HEADER_BYTES + keyBytes, markBytes);
  if (libraryMark(sys, mark.slice(0, mark.indexOf('\n'))) !== mark) return undefined;
  const program = bytes.slice(programStart);
  return checksum(program) === sum ? program : undefined;
}

/** The library's file, and what changes when it is replaced: path, newline, numbers. Undefined when there is no such file. */
function libraryMark(sys: Sys, path: string): string | undefined {
  const status = path === '' ? undefined : stat(sys, path);
  if (status === undefined) return undefined;
  return `${path}\n${status.deviceMajor}:${status.deviceMinor} ${status.inode} ${status.sizeBytes}`;
}

function fileName(sys: Sys, key: string): string {
  const text = new Uint8Array(sys.encode(key));
  const padded = new Uint8Array((text.length + 3) & ~3);
  padded.set(text);
  return `${checksum(padded.buffer).toString(16).padStart(8, '0')}-${text.length}`;
}

/**
 * A polynomial of the 32-bit words, modulo 2^32: against accidents, not attackers, whom the directory keeps out. QuickJS needs several times as long
 * for an iterator, or for Math.imul.
 */
function checksum(bytes: ArrayBuffer): number {
  const words = new Uint32Array(bytes);
  const count = words.length;
  let sum = count;
  for (let index = 0; index < count; index++) sum = ((sum << 5) - sum + (words[index] ?? 0)) | 0;
  return sum >>> 0;
}
