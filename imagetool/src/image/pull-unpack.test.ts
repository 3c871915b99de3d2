/** Pulls that unpack what they fetch. */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { file, member, packMembers } from '../archive/testing.ts';
import { digestOf } from '../digest/digest.ts';
import { parseReference } from '../reference/reference.ts';
import { RegistryClient } from '../registry/client.ts';
import { TestRegistry } from '../registry/test-registry.ts';
import { Transport } from '../registry/transport.ts';
import { layerOf } from '../snapshot/layers.ts';
import type { Store } from '../store/store.ts';
import { storeAt, type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { hostPlatform } from './platform.ts';
import { pullImage } from './pull.ts';

const contents = [randomBytes(3_000_000), Buffer.from('small')];
const archives = contents.map((content, n) => packMembers([member('d/', { type: 'directory', mode: 0o755 }), file(`d/f${n}`, content)]));

let directory: TemporaryDirectory;
let registry: TestRegistry;
let store: Store;
let transport: Transport;
beforeEach(async () => {
  directory = temporaryDirectory();
  registry = new TestRegistry();
  await registry.start();
  store = storeAt(directory.path);
  transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
});
afterEach(async () => {
  await transport.close();
  await registry.stop();
  directory[Symbol.dispose]();
});

function serve(diffIds = archives.map((archive) => digestOf(archive))): void {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } };
  registry.putManifest('a', '1', OCI.manifest, {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: { mediaType: OCI.config, ...registry.putBlob('a', Buffer.from(JSON.stringify(config))) },
    layers: archives.map((archive) => ({ mediaType: OCI.layerGzip, ...registry.putBlob('a', gzipSync(archive)) })),
  });
}

const pull = (unpack = true): Promise<Descriptor> =>
  pullImage({
    store,
    client: new RegistryClient({ host: registry.host, transport, credentials: async () => undefined }),
    reference: parseReference(`${registry.host}/a:1`),
    platform: hostPlatform('amd64'),
    onProgress: () => undefined,
    ...(unpack ? { unpack: 'recorded' as const } : {}),
  });

function expectUnpacked(): void {
  for (const [n, content] of contents.entries()) {
    const { name } = layerOf(digestOf(archives[n] ?? ''), 'recorded');
    expect(readFileSync(join(store.layout.snapshots, name, `d/f${n}`)).equals(content)).toBe(true);
  }
  expect(readdirSync(store.layout.snapshots)).toEqual(['l']);
}

describe('pullImage with unpack', () => {
  it('unpacks layers as they come', async () => {
    serve();
    await pull();
    expectUnpacked();
  });

  it('does so through cuts, and from what was there before', async () => {
    serve();
    registry.misbehaviour = { cut: { afterBytes: 700_000, times: 3 } };
    await pull();
    expectUnpacked();
    await pull();
    const other = storeAt(join(directory.path, 'other'));
    store = other;
    await pull(false);
    expect(() => expectUnpacked()).toThrow();
    await pull();
    expectUnpacked();
  });

  it('leaves nothing unpacked of a layer that is not what the configuration says, or not what its digest says', async () => {
    serve([digestOf('something else'), digestOf(archives[1] ?? '')]);
    await expect(pull()).rejects.toMatchObject({ code: 'digest' });
    serve();
    registry.misbehaviour = { corrupt: true };
    store = storeAt(join(directory.path, 'other'));
    await expect(pull()).rejects.toThrow();
    expect(() => expectUnpacked()).toThrow();
  });
});
