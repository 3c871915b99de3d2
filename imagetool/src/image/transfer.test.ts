/** Pull and push against a registry that misbehaves. */

import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { parseReference } from '../reference/reference.ts';
import type { Credentials } from '../registry/auth.ts';
import { RegistryClient } from '../registry/client.ts';
import { listTags } from '../registry/manifests.ts';
import { TestRegistry } from '../registry/test-registry.ts';
import { Transport } from '../registry/transport.ts';
import { uploadBlob } from '../registry/upload.ts';
import { blobPath } from '../store/blob-paths.ts';
import { readVerified } from '../store/blobs.ts';
import { collectGarbage } from '../store/gc.ts';
import { takeLease } from '../store/leases.ts';
import { listImages, setImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';
import { putBlob, putImage, storeAt, type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { hostPlatform, parsePlatform } from './platform.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';

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

const layers = [randomBytes(200_000), randomBytes(50_000), Buffer.from('small')];
const silent = () => undefined;
const client = (credentials?: Credentials) => new RegistryClient({ host: registry.host, transport, credentials: async () => credentials });
const reference = (text: string) => parseReference(`${registry.host}/${text}`);

function serveImage(repository = 'team/app', tag = '1'): Descriptor {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) } };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: { mediaType: OCI.config, ...registry.putBlob(repository, Buffer.from(JSON.stringify(config))) },
    layers: layers.map((layer) => ({ mediaType: OCI.layer, ...registry.putBlob(repository, layer) })),
  };
  return registry.putManifest(repository, tag, OCI.manifest, manifest);
}

const pull = (text = 'team/app:1', more: { credentials?: Credentials; parallel?: number } = {}) =>
  pullImage({
    store,
    client: client(more.credentials),
    reference: reference(text),
    platform: hostPlatform('amd64'),
    onProgress: silent,
    parallel: more.parallel ?? 8,
  });

describe('pullImage', () => {
  it('brings an image whole and names it', async () => {
    const image = serveImage();
    expect(await pull()).toEqual(image);
    expect(listImages(store.layout)).toMatchObject([{ name: `${registry.host}/team/app:1`, descriptor: { digest: image.digest } }]);
    for (const layer of layers) expect(await readVerified(store.layout, { digest: digestOf(layer), size: layer.length })).toEqual(layer);
    expect((await collectGarbage(store, { all: true })).removed).toEqual([]);
  });

  it('fetches every byte once, however often the connection is cut', async () => {
    serveImage();
    registry.misbehaviour = { cut: { afterBytes: 7000, times: 20 } };
    await pull();
    const total = layers.reduce((sum, layer) => sum + layer.length, 0);
    // What a cut connection had on its way may be lost, and the configuration is a blob as well.
    expect(registry.blobBytesSent).toBeLessThan(total * 1.3);
    expect(registry.blobBytesSent).toBeGreaterThanOrEqual(total);
  });

  it('goes on after an attempt that failed', async () => {
    serveImage();
    registry.misbehaviour = { cut: { afterBytes: 60_000, times: 1000 } };
    transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1, maxAttempts: 1 });
    let isDown = false;
    registry.misbehaviour.answer = (request) => {
      if (request.headers.range !== undefined) isDown = true;
      return isDown ? { status: 500 } : undefined;
    };
    await expect(pull()).rejects.toMatchObject({ status: 500 });
    const before = registry.blobBytesSent;
    registry.misbehaviour = {};
    await pull();
    expect(registry.blobBytesSent - before).toBeLessThan(200_000);
  });

  it('works with a registry that knows no ranges', async () => {
    serveImage();
    registry.misbehaviour = { cut: { afterBytes: 60_000, times: 2 }, ignoreRange: true };
    await pull();
  });

  it('does not show credentials to the host that blobs come from', async () => {
    const other = new TestRegistry();
    await other.start();
    try {
      serveImage();
      for (const [name, { blobs }] of registry.repositories) for (const bytes of blobs.values()) other.putBlob(name, bytes);
      registry.auth = { username: 'u', password: 'p', kind: 'basic' };
      registry.misbehaviour = { redirectBlobsTo: `http://${other.host}` };
      await pull('team/app:1', { credentials: { username: 'u', password: 'p' } });
      expect(other.log).toHaveLength(4);
      expect(other.authorizations.every((one) => one === undefined)).toBe(true);
    } finally {
      await other.stop();
    }
  });

  it('renews tokens as they expire, and asks for each only once at a time', async () => {
    serveImage();
    registry.auth = { username: 'u', password: 'p', kind: 'token', tokenUses: 2 };
    await pull('team/app:1', { credentials: { username: 'u', password: 'p' }, parallel: 1 });
    const tokens = registry.log.filter((line) => line.startsWith('GET /token'));
    expect(tokens.length).toBeGreaterThan(1);
    expect(tokens[0]).toContain('scope=repository%3Ateam%2Fapp%3Apull');
  });

  it('says how to log in when it is refused', async () => {
    serveImage();
    registry.auth = { username: 'u', password: 'p', kind: 'basic' };
    await expect(pull()).rejects.toMatchObject({ code: 'unauthorized', hint: expect.stringContaining('tsimg login') });
    await expect(pull('team/app:1', { credentials: { username: 'u', password: 'wrong' } })).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('waits as it is told and tries again', async () => {
    serveImage();
    let busy = 2;
    registry.misbehaviour = {
      answer: (request) => {
        if (request.url?.includes('/manifests/') !== true || busy === 0) return undefined;
        busy -= 1;
        return { status: 429, headers: { 'retry-after': '0' } };
      },
    };
    await pull();
    expect(busy).toBe(0);
  });

  it('refuses content that is not what its digest says', async () => {
    serveImage();
    registry.misbehaviour = { corrupt: true };
    await expect(pull()).rejects.toMatchObject({ code: 'digest' });
    registry.misbehaviour = {};
    await pull();
  });

  it('refuses a manifest that is not what its digest says, and one of schema 1', async () => {
    const { digest } = serveImage();
    registry.repository('team/app').manifests.set(digest, { mediaType: OCI.manifest, bytes: Buffer.from('{"schemaVersion":2}') });
    await expect(pull(`team/app@${digest}`)).rejects.toBeInstanceOf(Error);
    registry.putManifest('team/app', 'old', 'application/vnd.docker.distribution.manifest.v1+json', { schemaVersion: 1 });
    await expect(pull('team/app:old')).rejects.toThrow(/schema 1/);
    await expect(pull('team/app:missing')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('takes one platform of an index, or names those there are', async () => {
    const amd = { ...serveImage('team/app', 'amd'), platform: parsePlatform('linux/amd64') };
    const attestation = { ...amd, platform: { os: 'unknown', architecture: 'unknown' } };
    registry.putManifest('team/app', 'multi', OCI.index, { schemaVersion: 2, mediaType: OCI.index, manifests: [attestation, amd] });
    expect((await pull('team/app:multi')).mediaType).toBe(OCI.index);
    const arm = { store, client: client(), reference: reference('team/app:multi'), platform: parsePlatform('arm64'), onProgress: silent };
    await expect(pullImage(arm)).rejects.toThrow(/linux\/arm64; there are: linux\/amd64/);
  });
});

describe('pushImage', () => {
  async function localImage(content: Buffer[] = layers): Promise<Descriptor> {
    const lease = await takeLease(store, { id: `test-${content.length}` });
    const image = await putImage(store, lease, content);
    await setImage(store, 'example.com/local:1', image);
    lease.release();
    return image;
  }
  const push = (image: Descriptor, text = 'team/pushed:1') =>
    pushImage({ store, client: client(), reference: reference(text), image, onProgress: silent });

  it('sends what is missing, and nothing twice', async () => {
    const image = await localImage();
    await push(image);
    expect(registry.repository('team/pushed').manifests.has(image.digest)).toBe(true);
    const before = registry.log.length;
    await push(image);
    expect(registry.log.slice(before).filter((line) => /^(POST|PATCH)/.test(line))).toEqual([]);
  });

  it('mounts what another repository of the registry has', async () => {
    const image = await localImage();
    await push(image);
    const before = registry.log.length;
    await push(image, 'team/other:1');
    const news = registry.log.slice(before);
    expect(news.filter((line) => line.includes('mount='))).toHaveLength(4);
    expect(news.filter((line) => /^(PATCH|PUT .*uploads)/.test(line))).toEqual([]);
  });

  const uploads = () => registry.log.filter((line) => /^(PATCH|PUT) .*uploads/.test(line)).map((line) => line.split(' ')[0]);

  it('sends a blob in one request and goes on where that was cut', async () => {
    const image = await localImage([randomBytes(20 * 1024 * 1024)]);
    registry.misbehaviour = { cutUpload: { afterBytes: 5_000_000, times: 2 } };
    await push(image);
    expect(registry.repository('team/pushed').manifests.has('1')).toBe(true);
    // The layer and what is left of it, twice; the configuration.
    expect(uploads()).toEqual(['PUT', 'PUT', 'PUT', 'PUT']);
  });

  it('sends larger blobs in chunks, the last of which ends the upload', async () => {
    const whole = randomBytes(20 * 1024 * 1024);
    const blob = { digest: digestOf(whole), size: whole.length };
    const open = async function* (offset: number) {
      yield whole.subarray(offset);
    };
    registry.misbehaviour = { cutUpload: { afterBytes: 1_000_000, times: 1 } };
    const options = { open, chunkBytes: 8 * 1024 * 1024 };
    expect(await uploadBlob(client(), 'team/pushed', blob, options)).toEqual({ kind: 'uploaded' });
    expect(uploads()).toEqual(['PATCH', 'PATCH', 'PATCH', 'PUT']);
    expect(registry.repository('team/pushed').blobs.get(blob.digest)?.equals(whole)).toBe(true);
  });

  it('does not send a blob that is damaged here', async () => {
    const layer = randomBytes(20 * 1024 * 1024);
    const image = await localImage([layer]);
    const path = blobPath(store.layout, digestOf(layer));
    chmodSync(path, 0o644);
    writeFileSync(path, layer.fill(1, layer.length - 1));
    await expect(push(image)).rejects.toMatchObject({ code: 'digest' });
    expect(registry.repository('team/pushed').manifests.size).toBe(0);
  });

  it('refuses an image of which something is missing', async () => {
    const image = await localImage();
    const lease = await takeLease(store, { id: 'index' });
    const missing = { ...image, digest: digestOf('missing') };
    const index = await putBlob(
      store,
      lease,
      OCI.index,
      JSON.stringify({ schemaVersion: 2, mediaType: OCI.index, manifests: [image, missing] }),
    );
    await expect(push(index)).rejects.toMatchObject({ code: 'incomplete' });
  });
});

describe('listTags', () => {
  it('follows the pages', async () => {
    for (const tag of ['a', 'b', 'c', 'd', 'e']) serveImage('team/app', tag);
    registry.misbehaviour = { pageSize: 2 };
    expect(await listTags(client(), 'team/app')).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});
