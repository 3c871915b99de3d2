/** Keeps the layers of cached steps from gc: they are in a lease that no process holds, and that does not expire. */

import { join } from 'node:path';
import { readIfExists } from '../../store/files.ts';
import { releaseLease, takeLease } from '../../store/leases.ts';
import { withLock } from '../../store/lock.ts';
import type { Store } from '../../store/store.ts';
import type { CacheRecords } from './records.ts';

const LEASE = 'build-cache';

/** Adds what is new. */
export async function keepCached(store: Store, records: CacheRecords): Promise<void> {
  const known = new Set((readIfExists(join(store.layout.leases, LEASE)) ?? '').split('\n'));
  const missing = records.storedLayers().filter((digest) => !known.has(digest));
  if (missing.length === 0) return;
  await withCacheLease(store, async () => {
    const lease = await takeLease(store, { id: LEASE });
    await lease.protect(...missing);
    lease.abandon();
  });
}

/** Writes the lease anew, after records were removed. */
export async function keepOnly(store: Store, records: CacheRecords): Promise<void> {
  await withCacheLease(store, async () => {
    releaseLease(store.layout, LEASE);
    const layers = records.layers();
    if (layers.length === 0) return;
    const lease = await takeLease(store, { id: LEASE });
    await lease.protect(...layers);
    lease.abandon();
  });
}

async function withCacheLease(store: Store, body: () => Promise<void>): Promise<void> {
  await withLock(store.sys, join(store.layout.build, 'cache.lock'), 'exclusive', body);
}
