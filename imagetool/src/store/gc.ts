/**
 * Garbage collection. Kept are: what the images in index.json are made of, what leases that count name, partial blobs that are being written, leased,
 * or young. The exclusive lock is held throughout, and whoever adds a blob has it in a lease before it looks whether it is there, so nothing that
 * is needed can slip through between the two.
 */

import { closeSync, lstatSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asDigest, type Digest, isDigest } from '../../../specs/image/digest.ts';
import { isNodeError } from '../base/errors.ts';
import { ingestPath } from './blob-paths.ts';
import type { Layout } from './layout.ts';
import { readLeases } from './leases.ts';
import { tryLockFd, withLock } from './lock.ts';
import { reachableFrom } from './reachable.ts';
import { listImages } from './refs.ts';
import type { Store } from './store.ts';

/** Partial blobs without a lease are kept this long for a next attempt. */
const PARTIAL_MAX_AGE_MS = 24 * 60 * 60 * 1000;
/** Temporary files live for milliseconds; one this old belongs to a killed process. */
const TEMPORARY_MAX_AGE_MS = 60 * 60 * 1000;

export interface GcOptions {
  /** Says what would go; removes nothing. */
  readonly dryRun?: boolean;
  /** Also removes leases whose owners are gone, before they expire, and all partial blobs nobody is writing. */
  readonly all?: boolean;
  readonly nowMs?: number;
}

export interface GcResult {
  readonly removed: readonly { readonly digest: Digest; readonly sizeBytes: number }[];
  readonly removedPartials: number;
  /** Bytes on disk. */
  readonly freedBytes: number;
}

export async function collectGarbage(store: Store, options: GcOptions = {}): Promise<GcResult> {
  return await withLock(store.sys, store.layout.lock, 'exclusive', async () => {
    const needed = await neededDigests(store, options);
    const sweep = new Sweep(store, options);
    sweep.blobs(needed);
    sweep.partials(needed);
    sweep.labels();
    sweep.temporaries();
    return sweep.result();
  });
}

async function neededDigests(store: Store, options: GcOptions): Promise<Set<Digest>> {
  const images = await reachableFrom(
    store.layout,
    listImages(store.layout).map((image) => image.descriptor),
  );
  const needed = new Set(images.descriptors.keys());
  // `all` looks from the end of time: only what is held now or kept for ever still counts.
  const nowMs = options.all === true ? Number.POSITIVE_INFINITY : (options.nowMs ?? Date.now());
  for (const lease of readLeases(store, nowMs)) {
    if (lease.counts) for (const digest of lease.digests) needed.add(digest);
    else if (options.dryRun !== true) rmSync(join(store.layout.leases, lease.id), { force: true });
  }
  return needed;
}

class Sweep {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #options: GcOptions;
  readonly #nowMs: number;
  readonly #removed: { digest: Digest; sizeBytes: number }[] = [];
  #removedPartials = 0;
  #freedBytes = 0;

  constructor(store: Store, options: GcOptions) {
    this.#store = store;
    this.#layout = store.layout;
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now();
  }

  blobs(needed: ReadonlySet<Digest>): void {
    for (const algorithm of namesIn(this.#layout.blobs)) {
      for (const encoded of namesIn(join(this.#layout.blobs, algorithm))) {
        const text = `${algorithm}:${encoded}`;
        // A foreign file is not ours to remove.
        if (!isDigest(text) || needed.has(text)) continue;
        const path = join(this.#layout.blobs, algorithm, encoded);
        this.#removed.push({ digest: text, sizeBytes: lstatSync(path).size });
        this.#remove(path);
      }
    }
  }

  partials(needed: ReadonlySet<Digest>): void {
    for (const name of namesIn(this.#layout.ingest)) {
      const path = join(this.#layout.ingest, name);
      const text = name.replace('-', ':');
      const isResumable = /^sha(?:256|512):/.test(text) && isDigest(text);
      if (isResumable && needed.has(asDigest(text))) continue;
      const isYoung = this.#nowMs - lstatSync(path).mtimeMs < PARTIAL_MAX_AGE_MS;
      if (isResumable && isYoung && this.#options.all !== true) continue;
      if (this.#isBeingWritten(path)) continue;
      this.#removedPartials += 1;
      this.#remove(path);
    }
  }

  labels(): void {
    for (const name of namesIn(this.#layout.labels)) {
      const [algorithm = '', encoded = ''] = name.split('-');
      if (this.#removed.some((one) => one.digest === `${algorithm}:${encoded}`)) this.#remove(join(this.#layout.labels, name));
    }
  }

  temporaries(): void {
    for (const directory of [this.#layout.root, this.#layout.labels]) {
      for (const name of namesIn(directory)) {
        const path = join(directory, name);
        if (name.startsWith('.tmp-') && this.#nowMs - lstatSync(path).mtimeMs > TEMPORARY_MAX_AGE_MS) this.#remove(path);
      }
    }
  }

  result(): GcResult {
    return { removed: this.#removed, removedPartials: this.#removedPartials, freedBytes: this.#freedBytes };
  }

  #remove(path: string): void {
    this.#freedBytes += lstatSync(path).blocks * 512;
    if (this.#options.dryRun !== true) rmSync(path, { force: true });
  }

  #isBeingWritten(path: string): boolean {
    const fd = openSync(path, 'r');
    try {
      return !tryLockFd(this.#store.sys, fd, 'exclusive');
    } finally {
      closeSync(fd);
    }
  }
}

/** Drops what an interrupted attempt left of a blob. */
export function dropPartial(layout: Layout, digest: Digest): void {
  rmSync(ingestPath(layout, digest), { force: true });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isNodeError(error, 'ENOENT')) return [];
    throw error;
  }
}
