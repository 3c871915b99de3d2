/** A push without Node, against Debian's registry: the image that skopeo finds there, and everything unusual left to Node. */

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { builtCommand, command, describeWith, itWith } from '../../../.scripts/jest/requirement.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { parseManifestDocument } from '../../../specs/image/manifest.ts';
import { type BenchRegistry, startRegistry } from '../../bench/registry.ts';
import { readVerified } from '../store/blobs.ts';
import { readLabels, sourcesOf, writeLabels } from '../store/labels.ts';
import { takeLease } from '../store/leases.ts';
import { setImage } from '../store/refs.ts';
import type { Store } from '../store/store.ts';
import { putImage, storeAt, type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { quickAnswer } from './quick.ts';

const dist = resolve(__dirname, '../../../dist');
const native = { what: 'native engine (npm run build)', met: existsSync(join(dist, '.build/native/tsimg/image')) };
/** KiB of address space in which the front works and Node does not start. */
const TOO_SMALL_FOR_NODE = 300_000;
/** Larger than what is sent at a time, and one whose upload is gone on with. */
const SIZES = [1, 300_000, 17_000_000];
const NAME = 'example.com/image:1';

const sys = createNodeSys();
let directory: TemporaryDirectory;
let registry: BenchRegistry;
let store: Store;
let image: Descriptor;
const quick = (...words: string[]) => quickAnswer({ ...sys, argv: ['tsimg', '--root', store.layout.root, 'push', ...words], environ: [] });
const inspect = (name: string): { Digest: string; Layers: string[] } =>
  JSON.parse(execFileSync('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`], { encoding: 'utf8' })) as never;
const layers = async (): Promise<Descriptor[]> => {
  const document = parseManifestDocument(await readVerified(store.layout, image), image.mediaType);
  return document.kind === 'manifest' ? document.manifest.layers : [];
};

describeWith([command('docker-registry'), command('skopeo')], 'a push without Node', () => {
  beforeAll(async () => {
    directory = temporaryDirectory();
    registry = await startRegistry(join(directory.path, 'registry'));
  }, 60_000);
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    directory?.[Symbol.dispose]();
  });
  beforeEach(async () => {
    store = storeAt(join(directory.path, randomBytes(4).toString('hex')));
    const lease = await takeLease(store, { id: 'test' });
    image = await putImage(
      store,
      lease,
      SIZES.map((size) => randomBytes(size)),
    );
    await setImage(store, NAME, image);
    lease.release();
  });

  it('sends an image whole, remembers where it has sent it, and sends nothing twice', async () => {
    const target = `${registry.host}/quick/image:1`;
    expect(quick('-q', NAME, target)).toBe(`1: digest: ${image.digest} size: ${image.size}\n`);
    expect(inspect(target)).toMatchObject({ Digest: image.digest, Layers: (await layers()).map(({ digest }) => digest) });
    for (const { digest } of await layers()) {
      expect(sourcesOf(store.layout, digest, registry.host)).toEqual(['quick/image']);
      expect(readLabels(store.layout, digest)[`upload.${registry.host}/quick/image`] ?? '').toBe('');
    }
    expect(quick('-q', NAME, `${registry.host}/quick/image:2`)).toBe(`2: digest: ${image.digest} size: ${image.size}\n`);
    expect(inspect(`${registry.host}/quick/image:2`)).toMatchObject({ Digest: image.digest });
  });

  it('also by the name localhost', () => {
    const target = `localhost:${registry.host.split(':')[1]}/quick/named:1`;
    expect(quick('-q', '--parallel', '1', NAME, target)).toContain(image.digest);
    expect(inspect(`${registry.host}/quick/named:1`)).toMatchObject({ Digest: image.digest });
  });

  it('lets no damaged blob arrive', async () => {
    const [, , largest] = await layers();
    const file = join(store.layout.blobs, 'sha256', (largest?.digest ?? '').slice(7));
    const bytes = readFileSync(file);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    chmodSync(file, 0o644);
    writeFileSync(file, bytes);
    expect(() => quick('-q', NAME, `${registry.host}/quick/damaged:1`)).toThrow(/other content/);
    const { status } = spawnSync('skopeo', ['inspect', '--tls-verify=false', `docker://${registry.host}/quick/damaged:1`]);
    expect(status).not.toBe(0);
  });

  it('leaves to Node what is not usual', async () => {
    const target = `${registry.host}/quick/left:1`;
    expect(quick('-q', NAME, 'example.com/x:1')).toBeUndefined();
    expect(quick('-q', NAME, '[::1]:5000/x:1')).toBeUndefined();
    expect(quick('-q', '--insecure', registry.host, NAME, target)).toBeUndefined();
    expect(quick('-q', '--cert-dir', '/nonexistent', NAME, target)).toBeUndefined();
    expect(quick('--progress', 'json', NAME, target)).toBeUndefined();
    expect(quick('-q', 'example.com/missing:1', target)).toBeUndefined();
    const [first, second] = await layers();
    await writeLabels(store, first?.digest ?? image.digest, { [`upload.${registry.host}/quick/left`]: 'http://somewhere' });
    expect(quick('-q', NAME, target)).toBeUndefined();
    await writeLabels(store, first?.digest ?? image.digest, { [`upload.${registry.host}/quick/left`]: '' });
    await writeLabels(store, second?.digest ?? image.digest, { [`source.${registry.host}`]: 'another/repository' });
    expect(quick('-q', NAME, target)).toBeUndefined();
  });

  itWith([native, builtCommand('tsimg')], 'takes no Node, and becomes Node for a registry that wants a login', async () => {
    const front = join(dist, 'bin/tsimg');
    const words = ['--root', store.layout.root, '--progress', 'plain', 'push', NAME];
    const script = `ulimit -c 0; ulimit -v ${TOO_SMALL_FOR_NODE}; exec "$0" "$@"`;
    const pushed = spawnSync('/bin/sh', ['-c', script, front, ...words, `${registry.host}/quick/native:1`], { encoding: 'utf8', env: {} });
    expect(pushed).toMatchObject({ status: 0, stdout: `1: digest: ${image.digest} size: ${image.size}\n` });
    expect(pushed.stderr.match(/: Pushed\n/g)).toHaveLength(SIZES.length + 1);
    expect(inspect(`${registry.host}/quick/native:1`)).toMatchObject({ Digest: image.digest });
    const denying = createServer((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"', 'content-length': '0' }).end(),
    );
    await new Promise<void>((done) => denying.listen(0, '127.0.0.1', done));
    try {
      const { port } = denying.address() as AddressInfo;
      mkdirSync(join(directory.path, 'home'), { recursive: true });
      const child = await run(front, [...words, `127.0.0.1:${port}/x:1`], { HOME: join(directory.path, 'home') });
      expect(child.status).toBe(1);
      expect(child.stderr).toMatch(/tsimg login/);
    } finally {
      await new Promise((done) => denying.close(done));
    }
  });
});

/** Not spawnSync: the registry is in this process. */
async function run(path: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<{ status: number | null; stderr: string }> {
  const { spawn } = await import('node:child_process');
  const child = spawn(path, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const status = await new Promise<number | null>((done) => child.once('close', done));
  return { status, stderr };
}
