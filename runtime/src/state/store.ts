/**
 * The containers' directories below the root directory (`/run/tsrun`): one for each, 0700, holding
 *
 *     state.jsonl    the records, a line of JSON each; the last whole line counts. Written under the lock, read without it
 *     config.json    the configuration, frozen at create
 *     gate           the start gate's socket, there exactly while the container is created and not started
 *     start          the program that starts it: the rest of its setup, as bytes for the init process
 *
 * The lock is flock(2) on the directory itself: it needs no file, dies with its holder, and is never left behind.
 */
import { RuntimeError } from '../base/errors.ts';
import { call, tryCall } from '../linux/call.ts';
import { EISDIR, ENOENT, isErrno, syscallError } from '../linux/errno.ts';
import {
  appendFile,
  close,
  listDirectory,
  mkdir,
  mkdirAll,
  open,
  readFile,
  readFileIfExists,
  replaceFile,
  rmdir,
  unlink,
} from '../linux/files.ts';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY } from '../linux/open-flags.ts';
import { lstat, statFd } from '../linux/stat.ts';
import type { Sys } from '../sys/sys.ts';
import { type ContainerRecord, lastRecord } from './record.ts';

const LOCK_EX = 2;
const PRIVATE = 0o700;
const FILE_MODE = 0o600;

const RECORD = 'state.jsonl';
const CONFIG = 'config.json';
export const GATE = 'gate';
export const START_PROGRAM = 'start';

/** A container's directory, open and locked. The holder releases it. */
export class ContainerDirectory {
  readonly #sys: Sys;
  readonly id: string;
  readonly path: string;
  readonly fd: number;
  #open = true;

  constructor(sys: Sys, id: string, path: string, fd: number) {
    this.#sys = sys;
    this.id = id;
    this.path = path;
    this.fd = fd;
  }

  /**
   * Appends: replacing a file makes ext4 write the new one to the disk at once, for half a millisecond. The first newline ends what a writer that was
   * cut off may have left.
   */
  writeRecord(record: ContainerRecord): void {
    appendFile(this.#sys, RECORD, `\n${JSON.stringify(record)}\n`, { mode: FILE_MODE, at: this.fd });
  }

  writeConfig(text: string): void {
    replaceFile(this.#sys, CONFIG, text, { mode: FILE_MODE, at: this.fd });
  }

  readConfig(): string {
    return readFile(this.#sys, CONFIG, this.fd);
  }

  writeFile(name: string, data: ArrayBuffer): void {
    replaceFile(this.#sys, name, data, { mode: FILE_MODE, at: this.fd });
  }

  /** The record, or undefined when a create was cut off before it was written. */
  readRecord(): ContainerRecord | undefined {
    const text = readFileIfExists(this.#sys, RECORD, this.fd);
    return text === undefined ? undefined : lastRecord(text, `${this.path}/${RECORD}`);
  }

  /**
   * A path for bind(2) and connect(2), short whatever the root directory is: `sun_path` holds 107 bytes.
   */
  socketPath(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  hasGate(): boolean {
    return lstat(this.#sys, GATE, this.fd) !== undefined;
  }

  removeGate(): void {
    unlink(this.#sys, GATE, this.fd);
  }

  /** Removes the directory with all that is in it. The lock is gone with it. */
  remove(): void {
    for (const name of listDirectory(this.#sys, '.', this.fd)) this.#removeEntry(name);
    rmdir(this.#sys, this.path);
  }

  /** A file, or a directory of files. */
  #removeEntry(name: string): void {
    const result = tryCall(this.#sys, 'unlinkat', this.fd, name, 0);
    if (result === -EISDIR) {
      for (const inner of listDirectory(this.#sys, name, this.fd)) unlink(this.#sys, `${name}/${inner}`, this.fd);
      rmdir(this.#sys, name, this.fd);
    } else if (result < 0 && result !== -ENOENT) {
      throw syscallError({ syscall: 'unlinkat', errno: -result, object: `${this.path}/${name}` });
    }
  }

  /** Unlocks and closes it, once. */
  release(): void {
    if (this.#open) close(this.#sys, this.fd);
    this.#open = false;
  }
}

export class Store {
  readonly #sys: Sys;
  readonly root: string;

  constructor(sys: Sys, root: string) {
    this.#sys = sys;
    this.root = root;
  }

  #path(id: string): string {
    return `${this.root}/${id}`;
  }

  /** Makes a container's directory, locked. @throws RuntimeError 'exists' */
  create(id: string): ContainerDirectory {
    mkdirAll(this.#sys, this.root, PRIVATE);
    const path = this.#path(id);
    if (!mkdir(this.#sys, path, PRIVATE)) throw new RuntimeError('exists', `container with given ID already exists: ${id}`);
    const directory = this.#lock(id);
    if (directory === undefined) throw new RuntimeError('not-found', `container does not exist: ${id} was removed while it was created`);
    return directory;
  }

  /** Opens and locks a container's directory, waiting for another command's end. @throws RuntimeError 'not-found' */
  open(id: string): ContainerDirectory {
    const directory = this.#lock(id);
    if (directory === undefined) throw new RuntimeError('not-found', `container does not exist: ${id}`);
    return directory;
  }

  #lock(id: string): ContainerDirectory | undefined {
    const path = this.#path(id);
    let fd: number;
    try {
      fd = open(this.#sys, path, { flags: O_RDONLY | O_DIRECTORY(this.#sys.arch) });
    } catch (error) {
      if (isErrno(error, ENOENT)) return undefined;
      throw error;
    }
    call(this.#sys, 'flock', path, fd, LOCK_EX);
    // While we waited, the directory may have been removed, and even made again: then the lock is on a directory without a name.
    const named = lstat(this.#sys, path);
    if (named !== undefined && named.inode === statFd(this.#sys, fd, path).inode) return new ContainerDirectory(this.#sys, id, path, fd);
    close(this.#sys, fd);
    return undefined;
  }

  /** A container's record without waiting for its lock: what counts is always whole. @throws RuntimeError 'not-found' */
  read(id: string): ContainerRecord {
    const path = `${this.#path(id)}/${RECORD}`;
    const text = readFileIfExists(this.#sys, path);
    const record = text === undefined ? undefined : lastRecord(text, path);
    if (record === undefined) throw new RuntimeError('not-found', `container does not exist: ${id}`);
    return record;
  }

  /** A container's frozen configuration without waiting for its lock. @throws RuntimeError 'not-found' */
  readConfig(id: string): string {
    const text = readFileIfExists(this.#sys, `${this.#path(id)}/${CONFIG}`);
    if (text === undefined) throw new RuntimeError('not-found', `container does not exist: ${id}`);
    return text;
  }

  /** Whether the container waits at its start gate. */
  hasGate(id: string): boolean {
    return lstat(this.#sys, `${this.#path(id)}/${GATE}`) !== undefined;
  }

  list(): string[] {
    if (tryCall(this.#sys, 'faccessat', AT_FDCWD, this.root, 0) < 0) return [];
    return listDirectory(this.#sys, this.root).sort();
  }
}
