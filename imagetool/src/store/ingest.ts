/**
 * Taking blobs in: partial file → fsync → rename. A partial file survives its writer; its size is where the next attempt goes on, after the bytes
 * that are there have been hashed again. One writer per digest, in all processes: the partial file is locked while it is written.
 */

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Digest } from '../../../specs/image/digest.ts';
import { algorithmOf, DigestError, Digester } from '../digest/digest.ts';
import type { Expected } from '../digest/verify.ts';
import { blobPath, ingestPath } from './blob-paths.ts';
import { reserve } from './cap.ts';
import { makeDirectory, syncDirectory } from './files.ts';
import type { Layout } from './layout.ts';
import type { Lease } from './leases.ts';
import { lockFd } from './lock.ts';
import type { Store } from './store.ts';

const sync = promisify(fsync);
const BLOCK_BYTES = 512;
const REHASH_CHUNK_BYTES = 1024 * 1024;

/** A blob being taken in. Call exactly one of commit, suspend and discard at the end. */
export class Ingest {
  readonly #layout: Layout;
  readonly #path: string;
  readonly #expected: Expected;
  readonly #fd: number;
  #digester: Digester;

  constructor(layout: Layout, expected: Expected, fd: number) {
    this.#layout = layout;
    this.#path = ingestPath(layout, expected.digest);
    this.#expected = expected;
    this.#fd = fd;
    this.#digester = new Digester(algorithmOf(expected.digest));
  }

  /** Bytes that are there: ask the source for the rest, from here. */
  get offset(): number {
    return this.#digester.bytes;
  }

  /** Hands the bytes a former attempt left to `each`, hashing them: for consumers that unpack while downloading. Called once, by beginIngest. */
  rehash(each?: (chunk: Uint8Array) => void): void {
    const left = fstatSync(this.#fd).size;
    if (left > this.#expected.size) {
      this.restart();
      return;
    }
    for (let at = 0; at < left; ) {
      const chunk = Buffer.allocUnsafe(Math.min(REHASH_CHUNK_BYTES, left - at));
      const read = readSync(this.#fd, chunk, 0, chunk.length, at);
      if (read === 0) break;
      this.#digester.update(chunk.subarray(0, read));
      each?.(chunk.subarray(0, read));
      at += read;
    }
  }

  /** Appends bytes. Throws DigestError, and forgets everything, if there are more than the descriptor says. */
  write(chunk: Uint8Array): void {
    if (this.offset + chunk.length > this.#expected.size) {
      this.discard();
      throw new DigestError(`blob ${this.#expected.digest} has more than the ${this.#expected.size} bytes its descriptor says`);
    }
    const start = this.offset;
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at, chunk.length - at, start + at);
    this.#digester.update(chunk);
  }

  /** Forgets what is there, for a source that cannot go on in the middle. */
  restart(): void {
    ftruncateSync(this.#fd, 0);
    this.#digester = new Digester(algorithmOf(this.#expected.digest));
  }

  /** Checks size and digest, makes the blob last and visible. Throws DigestError: with too few bytes they are kept, with wrong ones nothing is. */
  async commit(): Promise<void> {
    if (this.offset < this.#expected.size) {
      this.suspend();
      throw new DigestError(`blob ${this.#expected.digest} has ${this.offset} of the ${this.#expected.size} bytes its descriptor says`);
    }
    const actual = this.#digester.digest();
    if (actual !== this.#expected.digest) {
      this.discard();
      throw new DigestError(`blob ${this.#expected.digest} has other content: its digest is ${actual}`);
    }
    // Gives back blocks reserved beyond the end.
    ftruncateSync(this.#fd, this.#expected.size);
    // Not on this thread: other transfers go on meanwhile.
    await sync(this.#fd);
    const target = blobPath(this.#layout, this.#expected.digest);
    makeDirectory(dirname(target));
    chmodSync(this.#path, 0o444);
    renameSync(this.#path, target);
    syncDirectory(dirname(target));
    closeSync(this.#fd);
  }

  /** Stops, keeping what is there for the next attempt. */
  suspend(): void {
    closeSync(this.#fd);
  }

  /** Stops, keeping nothing. */
  discard(): void {
    rmSync(this.#path, { force: true });
    closeSync(this.#fd);
  }
}

export interface IngestOptions {
  /** Keeps the blob from gc until an image names it. */
  readonly lease: Lease;
  readonly signal?: AbortSignal;
  /** Gets the bytes a former attempt left, in order. */
  readonly onKept?: (chunk: Uint8Array) => void;
}

/**
 * Opens the blob for writing, waiting for another writer of it. Undefined: the blob is in the store, perhaps since that other writer ended.
 * Throws ImageError `store-full` where it cannot fit under the cap.
 */
export async function beginIngest(store: Store, expected: Expected, options: IngestOptions): Promise<Ingest | undefined> {
  await options.lease.protect(expected.digest);
  for (;;) {
    if (isStored(store.layout, expected.digest)) return undefined;
    const path = ingestPath(store.layout, expected.digest);
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      await lockFd(store.sys, fd, 'exclusive', options.signal);
      // While we waited, its writer may have renamed it into place, or discarded it: then this is no longer the file of that name.
      if (isSameFile(fd, path)) {
        if (!isStored(store.layout, expected.digest)) return await startIngest(store, expected, { fd, ...options });
        rmSync(path, { force: true });
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

async function startIngest(store: Store, expected: Expected, options: IngestOptions & { readonly fd: number }): Promise<Ingest> {
  const { fd } = options;
  const neededBytes = expected.size - fstatSync(fd).blocks * BLOCK_BYTES;
  await reserve(store, { fd, sizeBytes: expected.size, neededBytes, purpose: `blob ${expected.digest}` });
  const ingest = new Ingest(store.layout, expected, fd);
  ingest.rehash(options.onKept);
  return ingest;
}

/** Stores a small blob that is in memory. Throws DigestError if it is not the descriptor's content. */
export async function storeBytes(store: Store, lease: Lease, expected: Expected, bytes: Uint8Array): Promise<void> {
  const ingest = await beginIngest(store, expected, { lease });
  if (ingest === undefined) return;
  ingest.restart();
  ingest.write(bytes);
  await ingest.commit();
}

function isStored(layout: Layout, digest: Digest): boolean {
  return existsSync(blobPath(layout, digest));
}

function isSameFile(fd: number, path: string): boolean {
  const open = fstatSync(fd);
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}
