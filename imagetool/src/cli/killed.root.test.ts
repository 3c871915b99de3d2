/** kill -9 at points nobody has chosen: the store is whole, what was fetched or sent stays, and what the dead have left goes with gc. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { builtCommand, describeWith } from '../../../.scripts/jest/requirement.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { file, member, packMembers } from '../archive/testing.ts';
import { digestOf } from '../digest/digest.ts';
import { describeTree } from '../layer/testing.ts';
import { TestRegistry } from '../registry/test-registry.ts';
import { takeLease } from '../store/leases.ts';
import { setImage } from '../store/refs.ts';
import { putBlob, putImage, storeAt, type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';

const SCRIPT = resolve(__dirname, '../../../dist/tsimg.cjs');
/** Large enough that uploads are remembered. */
const LAYER_BYTES = 17_000_000;
const SLOW = { pieceBytes: 256 * 1024, waitMs: 2 };
const DEADLINE_MS = 120_000;
const seed = process.env['FUZZ_SEED'] ?? '20260101';

let directory: TemporaryDirectory;
let registry: TestRegistry;
/** Another one, to copy to. */
let target: TestRegistry;
const at = (name: string) => join(directory.path, name);
const root = () => at('store');

beforeEach(async () => {
  directory = temporaryDirectory();
  registry = new TestRegistry();
  target = new TestRegistry();
  for (const one of [registry, target]) await one.start();
});
afterEach(async () => {
  for (const one of [registry, target]) await one.stop();
  directory[Symbol.dispose]();
});

/** Parts of a whole, the same in every run. */
function fractions(name: string, count: number): number[] {
  return Array.from(
    { length: count },
    (_, index) => createHash('sha256').update(`${seed} ${name} ${index}`).digest().readUInt32BE() / 2 ** 32,
  );
}

function start(...words: string[]): ChildProcess {
  const argv = ['--no-warnings', SCRIPT, '--root', root(), '--progress', 'plain', ...words];
  return spawn(process.execPath, argv, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], HOME: directory.path },
  });
}

/** Not waiting in the kernel: the registry is in this process. */
async function finish(...words: string[]): Promise<void> {
  const child = start(...words);
  const status = await new Promise((done) => child.once('close', done));
  expect([words[0], status]).toEqual([words[0], 0]);
}

/** Kills it when the condition holds, unless it has ended by then. */
async function killWhen(condition: () => boolean, ...words: string[]): Promise<void> {
  const child = start(...words);
  let hasEnded = false;
  const closed = new Promise<void>((done) =>
    child.once('close', () => {
      hasEnded = true;
      done();
    }),
  );
  const deadline = Date.now() + DEADLINE_MS;
  while (!hasEnded && !condition() && Date.now() < deadline) await sleep(1);
  child.kill('SIGKILL');
  await closed;
}

function answer(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', SCRIPT, '--root', root(), ...words], {
    encoding: 'utf8',
  });
  expect([words[0], status, stderr]).toEqual([words[0], 0, '']);
  return stdout.trim();
}

function expectWhole(): void {
  expect(answer('verify')).toContain('0 damaged');
}

function serveImage(): { name: string; digests: string[]; bytes: number } {
  const layers = [randomBytes(LAYER_BYTES), randomBytes(LAYER_BYTES)];
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) } };
  const described = layers.map((layer) => ({ mediaType: OCI.layer, ...registry.putBlob('team/app', layer) }));
  registry.putManifest('team/app', '1', OCI.manifest, {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: { mediaType: OCI.config, ...registry.putBlob('team/app', Buffer.from(JSON.stringify(config))) },
    layers: described,
  });
  return { name: `${registry.host}/team/app:1`, digests: described.map(({ digest }) => digest), bytes: 2 * LAYER_BYTES };
}

/** Bytes of a blob that lie in the store, whole or in part. */
function kept(digest: string): number {
  const paths = [join(root(), 'blobs', digest.replace(':', '/')), join(root(), 'ingest', digest.replace(':', '-'))];
  return Math.max(...paths.map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0));
}

describeWith([builtCommand('tsimg')], 'kill -9', () => {
  it.each([['pull'], ['copy']])(
    'of a %s: it goes on at the byte where it was, and the store is whole',
    async (command) => {
      const { name, digests, bytes } = serveImage();
      const words = command === 'pull' ? ['pull', name] : ['copy', name, `${target.host}/team/copied:1`];
      registry.misbehaviour.throttle = SLOW;
      for (const part of fractions(command, 3)) {
        const before = digests.map(kept);
        const [sent, answers] = [registry.blobBytesSent, registry.blobStarts.length];
        const wanted = 1 + Math.floor((part * bytes) / 3);
        await killWhen(() => registry.blobBytesSent - sent >= wanted, ...words);
        for (const { digest, start: from } of registry.blobStarts.slice(answers)) {
          const index = digests.indexOf(digest);
          if (index >= 0) expect([digest, from]).toEqual([digest, before[index]]);
        }
        if (existsSync(join(root(), 'index.json'))) expectWhole();
      }
      delete registry.misbehaviour.throttle;
      await finish(...words);
      expectWhole();
      if (command === 'copy') for (const digest of digests) expect([...target.repository('team/copied').blobs.keys()]).toContain(digest);
      answer('gc', '--all');
      expect([readdirSync(join(root(), 'ingest')), readdirSync(join(root(), 'leases'))]).toEqual([[], []]);
    },
    DEADLINE_MS * 3,
  );

  it(
    'of a push: it goes on at the byte that the registry has, and sends none twice',
    async () => {
      const store = storeAt(root());
      const lease = await takeLease(store, { id: 'test' });
      const layers = [randomBytes(LAYER_BYTES), randomBytes(LAYER_BYTES)];
      await setImage(store, 'example.com/app:1', await putImage(store, lease, layers));
      lease.release();
      registry.misbehaviour.throttle = SLOW;
      const words = ['push', 'example.com/app:1', `${registry.host}/team/pushed:1`];
      for (const part of fractions('push', 3)) {
        const received = registry.blobBytesReceived;
        const wanted = 1 + Math.floor((part * LAYER_BYTES) / 2);
        await killWhen(() => registry.blobBytesReceived - received >= wanted, ...words);
        expectWhole();
      }
      delete registry.misbehaviour.throttle;
      await finish(...words);
      const { blobs } = registry.repository('team/pushed');
      for (const layer of layers) expect(blobs.get(digestOf(layer))?.equals(layer)).toBe(true);
      const small = [...blobs.values()].reduce((sum, blob) => sum + (blob.length < LAYER_BYTES ? blob.length : 0), 0);
      // A small blob is sent anew in each attempt.
      expect(registry.blobBytesReceived - 2 * LAYER_BYTES).toBeLessThanOrEqual(4 * small);
    },
    DEADLINE_MS * 3,
  );

  it(
    'of an unpack: the store is whole, and unpacks anew',
    async () => {
      const members = [
        member('d/', { type: 'directory', mode: 0o755 }),
        ...Array.from({ length: 3000 }, (_, index) => file(`d/${index}`, `content ${index}`)),
      ];
      const archive = packMembers(members);
      const store = storeAt(root());
      const lease = await takeLease(store, { id: 'test' });
      const config = {
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['/x'] },
        rootfs: { type: 'layers', diff_ids: [digestOf(archive)] },
      };
      const manifest = {
        schemaVersion: 2,
        mediaType: OCI.manifest,
        config: await putBlob(store, lease, OCI.config, JSON.stringify(config)),
        layers: [await putBlob(store, lease, OCI.layerGzip, gzipSync(archive))],
      };
      await setImage(store, 'example.com/many:1', await putBlob(store, lease, OCI.manifest, JSON.stringify(manifest)));
      lease.release();
      await finish('unpack', '--platform', 'linux/amd64', 'example.com/many:1', at('whole'));
      for (const [index, part] of fractions('unpack', 2).entries()) {
        const bundle = at(`bundle-${index}`);
        const count = () => (existsSync(join(bundle, 'rootfs/d')) ? readdirSync(join(bundle, 'rootfs/d')).length : 0);
        await killWhen(() => count() > part * 3000, 'unpack', '--platform', 'linux/amd64', 'example.com/many:1', bundle);
        expectWhole();
        execFileSync('rm', ['-rf', bundle]);
        await finish('unpack', '--platform', 'linux/amd64', 'example.com/many:1', bundle);
        // No layer says when the root itself was changed.
        expect(describeTree(join(bundle, 'rootfs')).slice(1)).toEqual(describeTree(join(at('whole'), 'rootfs')).slice(1));
      }
    },
    DEADLINE_MS * 3,
  );

  it(
    'of a gc: what is needed is whole, and the next one takes the rest',
    async () => {
      const store = storeAt(root());
      const lease = await takeLease(store, { id: 'test' });
      await setImage(store, 'example.com/needed:1', await putImage(store, lease, ['one', 'two']));
      const blobs = join(root(), 'blobs/sha256');
      const needed = readdirSync(blobs).sort();
      for (const part of fractions('gc', 2)) {
        const filler = await takeLease(store, { id: 'filler' });
        for (let index = 0; index < 300; index += 1) await putBlob(store, filler, OCI.layer, randomBytes(16));
        filler.release();
        const total = readdirSync(blobs).length;
        await killWhen(() => readdirSync(blobs).length < needed.length + part * (total - needed.length), 'gc', '--all');
        expectWhole();
      }
      lease.release();
      answer('gc', '--all');
      expect(readdirSync(blobs).sort()).toEqual(needed);
      expectWhole();
    },
    DEADLINE_MS * 3,
  );
});
