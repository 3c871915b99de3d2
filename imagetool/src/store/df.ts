/** What a store takes on disk and for what. The parts add up to what `du -s` says of the store's directory. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import type { Digest } from '../../../specs/image/digest.ts';
import { blobPath } from './blob-paths.ts';
import { readCap } from './cap.ts';
import type { Layout } from './layout.ts';
import { reachableFrom } from './reachable.ts';
import { listImages } from './refs.ts';
import { DiskUsage } from './usage.ts';

/** All in bytes on disk. */
export interface StoreUsage {
  /** Blobs images are made of. */
  readonly imageBytes: number;
  /** Blobs no image names: leased, or garbage. */
  readonly otherBlobBytes: number;
  readonly partialBytes: number;
  readonly snapshotBytes: number;
  /** Directories, index, labels, leases, and files that are not ours. */
  readonly metadataBytes: number;
  readonly totalBytes: number;
  readonly capBytes?: number;
  readonly images: readonly ImageUsage[];
}

export interface ImageUsage {
  readonly digest: Digest;
  readonly names: readonly string[];
  /** On disk, shared blobs included. */
  readonly bytes: number;
  /** What would be freed if this image alone were removed. */
  readonly uniqueBytes: number;
}

export async function measureUsage(layout: Layout): Promise<StoreUsage> {
  const disk = new DiskUsage();
  const images = await reachByImage(layout);
  const owners = countOwners(images);
  const sizes = new Map<Digest, number>();
  for (const digest of owners.keys()) {
    const path = pathOf(layout, digest);
    if (path !== undefined) sizes.set(digest, disk.add(path));
  }
  const imageBytes = sum(sizes.values());
  const isReferenced = new Set([...owners.keys()].map((digest) => pathOf(layout, digest)));
  const blobs = measureBlobs(layout, disk, isReferenced);
  const partialBytes = sum(readdirSync(layout.ingest).map((name) => disk.add(join(layout.ingest, name))));
  const snapshotBytes = disk.add(layout.snapshots);
  const rest = readdirSync(layout.root).filter(
    (name) => join(layout.root, name) !== layout.blobs && join(layout.root, name) !== layout.snapshots,
  );
  const metadataBytes =
    blobs.directoryBytes +
    disk.addSelf(layout.root) +
    sum(rest.map((name) => (join(layout.root, name) === layout.ingest ? disk.addSelf(layout.ingest) : disk.add(join(layout.root, name)))));
  const capBytes = readCap(layout);
  return {
    imageBytes,
    otherBlobBytes: blobs.otherBytes,
    partialBytes,
    snapshotBytes,
    metadataBytes,
    totalBytes: imageBytes + blobs.otherBytes + partialBytes + snapshotBytes + metadataBytes,
    ...(capBytes === undefined ? {} : { capBytes }),
    images: images.map((image) => usageOf(image, owners, sizes)),
  };
}

interface ImageReach {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
  readonly digests: readonly Digest[];
}

async function reachByImage(layout: Layout): Promise<ImageReach[]> {
  const byDigest = new Map<Digest, { descriptor: Descriptor; names: string[] }>();
  for (const { name, descriptor } of listImages(layout)) {
    const entry = byDigest.get(descriptor.digest) ?? { descriptor, names: [] };
    if (name !== undefined) entry.names.push(name);
    byDigest.set(descriptor.digest, entry);
  }
  const images: ImageReach[] = [];
  for (const entry of byDigest.values()) {
    images.push({ ...entry, digests: [...(await reachableFrom(layout, [entry.descriptor])).descriptors.keys()] });
  }
  return images;
}

function countOwners(images: readonly ImageReach[]): Map<Digest, number> {
  const owners = new Map<Digest, number>();
  for (const image of images) for (const digest of image.digests) owners.set(digest, (owners.get(digest) ?? 0) + 1);
  return owners;
}

function usageOf(image: ImageReach, owners: ReadonlyMap<Digest, number>, sizes: ReadonlyMap<Digest, number>): ImageUsage {
  const bytesOf = (digest: Digest) => sizes.get(digest) ?? 0;
  return {
    digest: image.descriptor.digest,
    names: image.names,
    bytes: sum(image.digests.map(bytesOf)),
    uniqueBytes: sum(image.digests.filter((digest) => owners.get(digest) === 1).map(bytesOf)),
  };
}

function measureBlobs(
  layout: Layout,
  disk: DiskUsage,
  referenced: ReadonlySet<string | undefined>,
): { otherBytes: number; directoryBytes: number } {
  let otherBytes = 0;
  let directoryBytes = disk.addSelf(layout.blobs);
  for (const algorithm of readdirSync(layout.blobs)) {
    const directory = join(layout.blobs, algorithm);
    directoryBytes += disk.addSelf(directory);
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (!referenced.has(path)) otherBytes += disk.add(path);
    }
  }
  return { otherBytes, directoryBytes };
}

/** Undefined for a digest of an algorithm that is never stored. */
function pathOf(layout: Layout, digest: Digest): string | undefined {
  return /^sha(?:256|512):/.test(digest) ? blobPath(layout, digest) : undefined;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
