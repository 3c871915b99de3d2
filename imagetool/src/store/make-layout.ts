/** Making a store's directories and files, and telling a store from other directories. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ImageError, isNodeError } from '../base/errors.ts';
import { createFile, makeDirectory, readIfExists } from './files.ts';
import { LAYOUT_VERSION, type Layout, versionOf } from './layout.ts';

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
  if (header === undefined) createFile(layout.header, `${JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION })}\n`);
}

/** Whether there is a store; throws for a layout of a version we do not know. */
export function hasLayout(layout: Layout): boolean {
  return readHeader(layout) !== undefined;
}

function readHeader(layout: Layout): string | undefined {
  const text = readIfExists(layout.header);
  if (text === undefined) return undefined;
  const version = versionOf(text);
  if (version !== LAYOUT_VERSION) {
    throw new ImageError('layout', `${layout.root} is not an OCI image layout of version ${LAYOUT_VERSION}, but of ${version ?? 'none'}`);
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
