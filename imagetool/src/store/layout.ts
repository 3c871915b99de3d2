/**
 * Where things lie in a store:
 *
 *     oci-layout, index.json     an OCI image layout that skopeo and umoci read as it is
 *     blobs/<algorithm>/<hex>    whole, verified blobs, read-only
 *     ingest/<algorithm>-<hex>   partial blobs: their size is the offset at which the next attempt goes on
 *     labels/<algorithm>-<hex>   small facts about blobs, JSON
 *     leases/<id>                digests that gc must leave alone, one a line
 *     snapshots/                 unpacked layers; `snapshot/` knows more
 *     build/                     results of build steps, cache mounts, logs; `build/` knows more
 *     lock                       flock: shared by who adds, exclusive for who changes index.json or collects garbage
 *     settings.json              the size cap
 *     listing.json               what `tsimg images` shows; made anew when it is missing or the index is another
 */

import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../../specs/image/digest.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import { algorithmOf, encodedOf } from '../digest/digest.ts';
import { createFile, makeDirectory, readIfExists } from './files.ts';

export interface Layout {
  readonly root: string;
  readonly blobs: string;
  readonly ingest: string;
  readonly labels: string;
  readonly leases: string;
  readonly snapshots: string;
  readonly build: string;
  readonly index: string;
  readonly lock: string;
  readonly settings: string;
  readonly listing: string;
}

const LAYOUT_VERSION = '1.0.0';

export function layoutAt(root: string): Layout {
  return {
    root,
    blobs: join(root, 'blobs'),
    ingest: join(root, 'ingest'),
    labels: join(root, 'labels'),
    leases: join(root, 'leases'),
    snapshots: join(root, 'snapshots'),
    build: join(root, 'build'),
    index: join(root, 'index.json'),
    lock: join(root, 'lock'),
    settings: join(root, 'settings.json'),
    listing: join(root, 'listing.json'),
  };
}

/** Path of a blob. Throws DigestError for an algorithm that cannot be checked: nothing unverifiable is ever stored. */
export function blobPath(layout: Layout, digest: Digest): string {
  return join(layout.blobs, algorithmOf(digest), encodedOf(digest));
}

export function ingestPath(layout: Layout, digest: Digest): string {
  return join(layout.ingest, fileNameOf(digest));
}

export function labelsPath(layout: Layout, digest: Digest): string {
  return join(layout.labels, fileNameOf(digest));
}

function fileNameOf(digest: Digest): string {
  return `${algorithmOf(digest)}-${encodedOf(digest)}`;
}

/** Makes the directories and files of a store where they are missing. Refuses a directory that holds something else, and other layout versions. */
export function ensureLayout(layout: Layout): void {
  const header = readHeader(layout);
  if (header === undefined) {
    refuseStrangers(layout);
    makeDirectory(layout.root);
  }
  for (const directory of [layout.blobs, join(layout.blobs, 'sha256'), layout.ingest, layout.labels, layout.leases]) {
    if (!existsSync(directory)) makeDirectory(directory);
  }
  if (!existsSync(layout.index)) {
    createFile(
      layout.index,
      `${JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] })}\n`,
    );
  }
  // Last: the header is what makes the directory a layout.
  if (header === undefined) createFile(join(layout.root, 'oci-layout'), `${JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION })}\n`);
}

/** Whether there is a store; throws for a layout of a version we do not know. */
export function hasLayout(layout: Layout): boolean {
  return readHeader(layout) !== undefined;
}

/** Whether this process may write there. */
export function isWritable(layout: Layout): boolean {
  try {
    accessSync(layout.root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readHeader(layout: Layout): string | undefined {
  const text = readIfExists(join(layout.root, 'oci-layout'));
  if (text === undefined) return undefined;
  const match = /"imageLayoutVersion"\s*:\s*"([^"]*)"/.exec(text);
  if (match?.[1] !== LAYOUT_VERSION) {
    throw new ImageError(
      'layout',
      `${layout.root} is not an OCI image layout of version ${LAYOUT_VERSION}, but of ${match?.[1] ?? 'none'}`,
    );
  }
  return text;
}

function refuseStrangers(layout: Layout): void {
  const known = new Set([
    'blobs',
    'ingest',
    'labels',
    'leases',
    'snapshots',
    'build',
    'index.json',
    'lock',
    'settings.json',
    'listing.json',
    'lost+found',
    // Of tsctl, which keeps its containers beside the images they are made of.
    'containers',
    'events.log',
    'events.log.1',
    'names',
    'networks',
    'shim.address',
    'shim.lock',
    'volumes',
  ]);
  try {
    const stranger = readdirSync(layout.root).find((name) => !known.has(name) && !name.startsWith('.tmp-'));
    if (stranger !== undefined) {
      throw new ImageError('layout', `${layout.root} holds ${stranger} and is no image store; give an empty or missing directory`);
    }
  } catch (error) {
    if (!isNodeError(error, 'ENOENT')) throw error;
  }
}
