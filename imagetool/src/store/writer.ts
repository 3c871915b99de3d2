/** Taking in a blob whose digest is not known before it is written: a new layer, a new manifest, a member of an archive. */

import { chmodSync, closeSync, constants, existsSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DigestAlgorithm } from '../../../specs/image/digest.ts';
import { Digester } from '../digest/digest.ts';
import type { Expected } from '../digest/verify.ts';
import { blobPath } from './blob-paths.ts';
import { reserve } from './cap.ts';
import { makeDirectory, syncDirectory } from './files.ts';
import type { Lease } from './leases.ts';
import { tryLockFd } from './lock.ts';
import type { Store } from './store.ts';

/** Space is taken from the cap in steps of this size; what was not needed is given back at the end. */
const STEP_BYTES = 32 * 1024 * 1024;
let serial = 0;

/** A blob being made. Call commit or discard at the end. */
export class BlobWriter {
  readonly #store: Store;
  readonly #path: string;
  readonly #fd: number;
  readonly #digester: Digester;
  #reserved = 0;

  constructor(store: Store, algorithm: DigestAlgorithm = 'sha256') {
    serial += 1;
    this.#store = store;
    this.#path = join(store.layout.ingest, `new-${process.pid}-${serial}`);
    rmSync(this.#path, { force: true });
    this.#fd = openSync(this.#path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    // Tells gc that the writer lives.
    tryLockFd(store.sys, this.#fd, 'exclusive');
    this.#digester = new Digester(algorithm);
  }

  /** Bytes written. */
  get bytes(): number {
    return this.#digester.bytes;
  }

  /** Throws ImageError `store-full` where the chunk does not fit under the cap; the caller discards. */
  async write(chunk: Uint8Array): Promise<void> {
    const end = this.bytes + chunk.length;
    if (end > this.#reserved) {
      const sizeBytes = end + STEP_BYTES;
      await reserve(this.#store, { fd: this.#fd, sizeBytes, neededBytes: sizeBytes - this.#reserved, purpose: 'a new blob' });
      this.#reserved = sizeBytes;
    }
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
    this.#digester.update(chunk);
  }

  /** Makes the blob last and visible; one of the same content may be there already. The lease keeps it until an image names it. */
  async commit(lease: Lease): Promise<Expected> {
    const expected = { size: this.bytes, digest: this.#digester.digest() };
    await lease.protect(expected.digest);
    const target = blobPath(this.#store.layout, expected.digest);
    ftruncateSync(this.#fd, expected.size);
    if (existsSync(target)) {
      this.discard();
      return expected;
    }
    fsyncSync(this.#fd);
    makeDirectory(dirname(target));
    chmodSync(this.#path, 0o444);
    renameSync(this.#path, target);
    syncDirectory(dirname(target));
    closeSync(this.#fd);
    return expected;
  }

  discard(): void {
    rmSync(this.#path, { force: true });
    closeSync(this.#fd);
  }
}
