/**
 * The hard cap on what a store takes on disk.
 *
 * Space is taken before it is written to: blocks are allocated (fallocate, the file's size staying as it is) while the store's lock is held, so that
 * every other process sees them in its own count. On file systems that cannot allocate ahead, each step is counted before it is written instead,
 * and two writers can together pass the cap by at most one step each.
 */

import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { isObject } from '../../../specs/image/shape.ts';
import { ImageError } from '../base/errors.ts';
import { readIfExists, replaceFile } from './files.ts';
import type { Layout } from './layout.ts';
import { withLock } from './lock.ts';
import type { Store } from './store.ts';
import { DiskUsage } from './usage.ts';

const FALLOC_FL_KEEP_SIZE = 1;

/** The cap in bytes, or undefined for a store without one. */
export function readCap(layout: Layout): number | undefined {
  const text = readIfExists(layout.settings);
  if (text === undefined) return undefined;
  const settings: unknown = JSON.parse(text);
  const cap = isObject(settings) ? settings['capBytes'] : undefined;
  return typeof cap === 'number' ? cap : undefined;
}

/** Sets or removes the cap. A cap below what is there is allowed: nothing can be added until something goes. */
export function writeCap(layout: Layout, capBytes: number | undefined): void {
  replaceFile(layout.settings, `${JSON.stringify(capBytes === undefined ? {} : { capBytes })}\n`);
}

export interface Reservation {
  /** Open for writing; gets the blocks. */
  readonly fd: number;
  /** How long the file will be. */
  readonly sizeBytes: number;
  /** How much of that has no blocks yet. */
  readonly neededBytes: number;
  /** For the message: "layer sha256:…". */
  readonly purpose: string;
}

/** Takes space for a file, or throws ImageError `store-full`. Does nothing in a store without a cap. */
export async function reserve(store: Store, reservation: Reservation): Promise<void> {
  const capBytes = readCap(store.layout);
  if (capBytes === undefined || reservation.neededBytes <= 0) return;
  await withLock(store.sys, store.layout.lock, 'exclusive', () => {
    const used = new DiskUsage().add(store.layout.root);
    if (used + reservation.neededBytes > capBytes) {
      throw new ImageError(
        'store-full',
        `${reservation.purpose} needs ${reservation.neededBytes} bytes; the store ${store.layout.root} has ${used} of the ${capBytes} bytes it may take`,
        { hint: 'Remove images that are not needed (tsimg rmi, tsimg gc), or raise the cap (tsimg df --cap).' },
      );
    }
    allocate(store.sys, reservation);
  });
}

/** Best effort: see the top of the file. */
function allocate(sys: Sys, { fd, sizeBytes }: Reservation): void {
  const fallocate = sys.symbol('libc.so.6', 'fallocate');
  if (fallocate !== 0) sys.call(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, sizeBytes);
}
