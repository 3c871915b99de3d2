/** The store as other tools see it: skopeo and umoci must read it as it is, and find the same digests. */

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { command, itWith } from '../../../.scripts/jest/requirement.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { collectGarbage } from './gc.ts';
import { takeLease } from './leases.ts';
import { findImage, listImages, setImage } from './refs.ts';
import type { Store } from './store.ts';
import { putBlob, storeAt, temporaryDirectory } from './testing.ts';

const name = 'localhost:5000/team/app:v1.2_x';
const peers = ['skopeo', 'umoci', 'tar'].map(command);

async function storeWithImage(directory: string): Promise<{ store: Store; digest: string }> {
  const store = storeAt(join(directory, 'store'));
  const lease = await takeLease(store, { id: 'test' });
  writeFileSync(join(directory, 'hello'), 'hello\n');
  const tar = execFileSync('tar', ['-C', directory, '-c', 'hello']);
  const layer = await putBlob(store, lease, OCI.layerGzip, gzipSync(tar));
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(tar)] }, config: { Cmd: ['/hello'] } };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: await putBlob(store, lease, OCI.config, JSON.stringify(config)),
    layers: [layer],
  };
  const image = await putBlob(store, lease, OCI.manifest, JSON.stringify(manifest));
  await setImage(store, name, image);
  lease.release();
  return { store, digest: image.digest };
}

describe('the store, read by others', () => {
  itWith(peers, 'is an OCI layout to skopeo', async () => {
    using directory = temporaryDirectory();
    const { store, digest } = await storeWithImage(directory.path);
    const raw = execFileSync('skopeo', ['inspect', '--raw', `oci:${store.layout.root}:${name}`]);
    expect(digestOf(raw)).toBe(digest);
    const copy = join(directory.path, 'copy');
    execFileSync('skopeo', ['--insecure-policy', 'copy', `oci:${store.layout.root}:${name}`, `oci:${copy}:x`], { stdio: 'pipe' });
    expect(JSON.parse(readFileSync(join(copy, 'index.json'), 'utf8'))).toMatchObject({ manifests: [{ digest }] });
  });

  itWith(peers, 'is an OCI layout to umoci, which unpacks from it', async () => {
    using directory = temporaryDirectory();
    const { store } = await storeWithImage(directory.path);
    expect(execFileSync('umoci', ['ls', '--layout', store.layout.root], { encoding: 'utf8' }).trim()).toBe(name);
    const bundle = join(directory.path, 'bundle');
    execFileSync('umoci', ['unpack', '--image', `${store.layout.root}:${name}`, bundle], { stdio: 'pipe' });
    expect(readFileSync(join(bundle, 'rootfs/hello'), 'utf8')).toBe('hello\n');
  });

  itWith(peers, 'sees images that skopeo put there, and gc keeps them', async () => {
    using directory = temporaryDirectory();
    const { store, digest } = await storeWithImage(directory.path);
    execFileSync('skopeo', ['--insecure-policy', 'copy', `oci:${store.layout.root}:${name}`, `oci:${store.layout.root}:other`], {
      stdio: 'pipe',
    });
    expect(findImage(store.layout, 'other')?.digest).toBe(digest);
    expect((await collectGarbage(store)).removed).toEqual([]);
  });
});

describe('kill -9', () => {
  it('leaves a lock free and the index whole', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    // Holds the store's lock, as an image being named does, and is killed there.
    const holder = spawn('flock', [store.layout.lock, 'sleep', '60'], { stdio: 'ignore', detached: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const image = { mediaType: OCI.manifest, digest: digestOf('x'), size: 1 };
    const change = setImage(store, 'example.com/a:1', image);
    const isFirst = await Promise.race([change.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false), 100))]);
    expect(isFirst).toBe(false);
    process.kill(-(holder.pid ?? 0), 'SIGKILL');
    await change;
    expect(listImages(store.layout)).toHaveLength(1);
  });
});
