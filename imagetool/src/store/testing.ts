/** For tests: stores in temporary directories, and small images in them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { storeBytes } from './ingest.ts';
import type { Lease } from './leases.ts';
import { openStore, type Store } from './store.ts';

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), 'tsimg-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function storeAt(root: string): Store {
  return openStore(root, createNodeSys());
}

/** Stores bytes as a blob and describes them. */
export async function putBlob(store: Store, lease: Lease, mediaType: string, content: string | Uint8Array): Promise<Descriptor> {
  const bytes = Buffer.from(content);
  const expected = { digest: digestOf(bytes), size: bytes.length };
  await storeBytes(store, lease, expected, bytes);
  return { mediaType, ...expected };
}

/** An image with one blob per given text as its layers. They need not be tars for what is tested with them. */
export async function putImage(store: Store, lease: Lease, layers: readonly (string | Uint8Array)[]): Promise<Descriptor> {
  const descriptors: Descriptor[] = [];
  for (const layer of layers) descriptors.push(await putBlob(store, lease, OCI.layer, layer));
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: descriptors.map((one) => one.digest) } };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: await putBlob(store, lease, OCI.config, JSON.stringify(config)),
    layers: descriptors,
  };
  return await putBlob(store, lease, OCI.manifest, JSON.stringify(manifest));
}
