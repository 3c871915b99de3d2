/**
 * Results of steps by their keys: `build/cache/<key>`, each a small file of its own, so that builds side by side need no lock. A record whose layer is
 * gone from the store is no record. The lease `build-cache` keeps the layers from gc.
 */

import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import type { Digest } from '../../../../specs/image/digest.ts';
import { isObject } from '../../../../specs/image/shape.ts';
import { isNodeError } from '../../base/errors.ts';
import type { NewLayer } from '../../image/commit.ts';
import { hasBlob } from '../../store/blobs.ts';
import { readIfExists, replaceHint } from '../../store/files.ts';
import type { Layout } from '../../store/layout.ts';

export interface StepResult {
  /** None: the step changed nothing. */
  readonly layer?: NewLayer;
  /** RFC 3339. */
  readonly created: string;
}

export interface CacheRecord extends StepResult {
  /** The step as text, for listings. */
  readonly title: string;
}

export class CacheRecords {
  readonly #layout: Layout;
  readonly #directory: string;
  readonly #stored = new Set<Digest>();

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#directory = join(layout.build, 'cache');
  }

  find(key: string): CacheRecord | undefined {
    const path = join(this.#directory, key);
    const record = parseRecord(readIfExists(path));
    if (record === undefined) return undefined;
    if (record.layer !== undefined && !hasBlob(this.#layout, record.layer.descriptor.digest)) return undefined;
    touch(path);
    return record;
  }

  /** Also of results that come from elsewhere, which become this store's. Their failures are no failures: the step is made anew then. */
  async lookup(key: string, sources: readonly CacheSource[]): Promise<CacheRecord | undefined> {
    const own = this.find(key);
    if (own !== undefined) return own;
    for (const source of sources) {
      const record = source.find(key);
      if (record === undefined) continue;
      try {
        if (record.layer !== undefined) await source.fetch(record.layer.descriptor);
      } catch {
        continue;
      }
      this.store(key, record);
      return record;
    }
    return undefined;
  }

  store(key: string, record: CacheRecord): void {
    mkdirSync(this.#directory, { recursive: true });
    replaceHint(join(this.#directory, key), `${JSON.stringify(record)}\n`);
    if (record.layer !== undefined) this.#stored.add(record.layer.descriptor.digest);
  }

  /** All records that can be used, each with the time it was last asked for. */
  list(): { readonly key: string; readonly record: CacheRecord; readonly usedMs: number }[] {
    return namesIn(this.#directory).flatMap((key) => {
      const path = join(this.#directory, key);
      const record = key.startsWith('.') ? undefined : parseRecord(readIfExists(path));
      return record === undefined ? [] : [{ key, record, usedMs: statSync(path).mtimeMs }];
    });
  }

  remove(key: string): void {
    rmSync(join(this.#directory, key), { force: true });
  }

  /** Layers of the records that this object has stored. */
  storedLayers(): Digest[] {
    return [...this.#stored];
  }

  /** Layers that records stand for. */
  layers(): Digest[] {
    return this.list().flatMap(({ record }) => (record.layer === undefined ? [] : [record.layer.descriptor.digest]));
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch (error) {
    if (!isNodeError(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
}

/** Results from elsewhere. */
export interface CacheSource {
  find(key: string): CacheRecord | undefined;
  /** Brings a layer into the store. */
  fetch(layer: Descriptor): Promise<void>;
}

/** Undefined for what is no record: it can be found out again. */
export function parseRecord(text: string | undefined): CacheRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || typeof value['created'] !== 'string' || typeof value['title'] !== 'string') return undefined;
    return value as unknown as CacheRecord;
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isNodeError(error, 'ENOENT')) return [];
    throw error;
  }
}
