/**
 * Results of steps that travel: into a directory, into a registry, inside an image, and back. A document lists them by their keys; the layers lie
 * beside it. What is taken in is checked like every blob.
 */

import { copyFileSync, createReadStream, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest } from '../../../../specs/image/digest.ts';
import { isObject } from '../../../../specs/image/shape.ts';
import { ImageError } from '../../base/errors.ts';
import { encodedOf } from '../../digest/digest.ts';
import { blobPath } from '../../store/blob-paths.ts';
import { hasBlob } from '../../store/blobs.ts';
import { readIfExists, replaceFile } from '../../store/files.ts';
import { beginIngest } from '../../store/ingest.ts';
import type { Lease } from '../../store/leases.ts';
import type { Store } from '../../store/store.ts';
import { type CacheRecord, type CacheSource, parseRecord } from './records.ts';

/** Of the configuration of a cache in a registry. */
export const CACHE_CONFIG_TYPE = 'application/vnd.tsimg.build.cache.v1+json';
/** The field of an image's configuration that holds the results of the steps that made it. */
export const INLINE_FIELD = 'tsimg.build.cache';

export type RecordList = readonly (readonly [key: string, record: CacheRecord])[];

export function encodeRecords(records: RecordList): object {
  return { version: 1, records: Object.fromEntries(records) };
}

/** What is no list of results is an empty one: a cache can always be made anew. */
export function decodeRecords(value: unknown): ReadonlyMap<string, CacheRecord> {
  const entries = isObject(value) && isObject(value['records']) ? Object.entries(value['records']) : [];
  return new Map(
    entries.flatMap(([key, one]): [string, CacheRecord][] => {
      const record = parseRecord(JSON.stringify(one));
      const digest = record?.layer?.descriptor.digest;
      return record === undefined || (digest !== undefined && !isDigest(digest)) ? [] : [[key, record]];
    }),
  );
}

const DOCUMENT = 'cache.json';

/** Writes records and layers to a directory, and removes layers that none of them needs any more. */
export function exportToDirectory(store: Store, directory: string, records: RecordList): void {
  const blobs = join(directory, 'blobs/sha256');
  if (existsSync(directory) && readdirSync(directory).length > 0 && !existsSync(join(directory, DOCUMENT))) {
    throw new ImageError('cache', `${directory} holds something else than a build cache; give an empty or missing directory`);
  }
  mkdirSync(blobs, { recursive: true });
  const needed = new Set<string>();
  for (const [, { layer }] of records) {
    if (layer === undefined) continue;
    const name = encodedOf(layer.descriptor.digest);
    needed.add(name);
    if (!existsSync(join(blobs, name))) copyFileSync(blobPath(store.layout, layer.descriptor.digest), join(blobs, name));
  }
  replaceFile(join(directory, DOCUMENT), `${JSON.stringify(encodeRecords(records))}\n`);
  for (const name of readdirSync(blobs)) if (!needed.has(name)) rmSync(join(blobs, name));
}

/** An empty source where there is no directory yet. */
export function directorySource(store: Store, lease: Lease, directory: string): CacheSource {
  const records = decodeRecords(JSON.parse(readIfExists(join(directory, DOCUMENT)) ?? 'null'));
  return {
    find: (key) => records.get(key),
    fetch: async (layer) => {
      await lease.protect(layer.digest);
      const ingest = hasBlob(store.layout, layer.digest) ? undefined : await beginIngest(store, layer, { lease });
      if (ingest === undefined) return;
      ingest.restart();
      try {
        for await (const chunk of createReadStream(join(directory, 'blobs/sha256', encodedOf(layer.digest)))) ingest.write(chunk);
      } catch (error) {
        ingest.discard();
        throw error;
      }
      await ingest.commit();
    },
  };
}
