import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { hasBlob } from './blobs.ts';
import { measureUsage } from './df.ts';
import { collectGarbage } from './gc.ts';
import { beginIngest } from './ingest.ts';
import { releaseLease, takeLease } from './leases.ts';
import { addImage, findImage, listImages, removeImage, removeName, setImage } from './refs.ts';
import { putBlob, putImage, storeAt, type TemporaryDirectory, temporaryDirectory } from './testing.ts';

let directory: TemporaryDirectory;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

const day = 24 * 60 * 60 * 1000;

describe('collectGarbage', () => {
  it('keeps images with and without names, and removes what nothing names', async () => {
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'pull' });
    const named = await putImage(store, lease, ['one', 'shared']);
    const nameless = await putImage(store, lease, ['two', 'shared']);
    const stray = await putBlob(store, lease, OCI.layer, 'stray');
    await setImage(store, 'docker.io/library/a:latest', named);
    await addImage(store, nameless);
    lease.release();
    const dry = await collectGarbage(store, { dryRun: true });
    expect(dry.removed.map((one) => one.digest)).toEqual([stray.digest]);
    expect(hasBlob(store.layout, stray.digest)).toBe(true);
    expect((await collectGarbage(store)).removed).toEqual(dry.removed);
    expect(hasBlob(store.layout, stray.digest)).toBe(false);
    await removeImage(store, nameless.digest);
    const { removed } = await collectGarbage(store);
    // Its manifest, its config and the layer it shares with nobody.
    expect(removed).toHaveLength(3);
    expect(hasBlob(store.layout, digestOf('shared'))).toBe(true);
    expect(hasBlob(store.layout, digestOf('two'))).toBe(false);
  });

  it('keeps what a lease names until it is released, or has expired without an owner', async () => {
    const store = storeAt(directory.path);
    const held = await takeLease(store, { id: 'held', expiresInMs: 1 });
    const dead = await takeLease(store, { id: 'dead', expiresInMs: day });
    const container = await takeLease(store, { id: 'container' });
    const blobs = [
      await putBlob(store, held, 'a/b', '1'),
      await putBlob(store, dead, 'a/b', '2'),
      await putBlob(store, container, 'a/b', '3'),
    ];
    dead.abandon();
    container.abandon();
    const present = () => blobs.map((one) => hasBlob(store.layout, one.digest));
    await collectGarbage(store);
    expect(present()).toEqual([true, true, true]);
    await collectGarbage(store, { nowMs: Date.now() + 2 * day });
    expect(present()).toEqual([true, false, true]);
    held.release();
    releaseLease(store.layout, 'container');
    await collectGarbage(store, { all: true });
    expect(present()).toEqual([false, false, false]);
  });

  it('keeps partial blobs that are young or being written', async () => {
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'pull' });
    const expected = { digest: digestOf('abc'), size: 3 };
    const old = join(store.layout.ingest, `sha256-${'0'.repeat(64)}`);
    const young = join(store.layout.ingest, `sha256-${'1'.repeat(64)}`);
    for (const path of [old, young, join(store.layout.ingest, 'new-1-1')]) writeFileSync(path, 'x');
    utimesSync(old, 0, 0);
    const ingest = await beginIngest(store, expected, { lease });
    lease.release();
    await collectGarbage(store);
    expect(readdirSync(store.layout.ingest).sort()).toEqual([`sha256-${'1'.repeat(64)}`, `sha256-${expected.digest.slice(7)}`]);
    await collectGarbage(store, { all: true });
    expect(readdirSync(store.layout.ingest)).toEqual([`sha256-${expected.digest.slice(7)}`]);
    ingest?.discard();
  });

  it('refuses a second holder of one lease', async () => {
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'pull' });
    await expect(takeLease(store, { id: 'pull' })).rejects.toMatchObject({ code: 'lease-held' });
    lease.abandon();
    (await takeLease(store, { id: 'pull' })).release();
  });
});

describe('names', () => {
  it('keeps an image that lost its name as a nameless one', async () => {
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'pull' });
    const [one, two] = [await putImage(store, lease, ['1']), await putImage(store, lease, ['2'])];
    await setImage(store, 'example.com/a:1', one);
    await setImage(store, 'example.com/a:1', two);
    expect(listImages(store.layout).map((image) => [image.name, image.descriptor.digest])).toEqual([
      [undefined, one.digest],
      ['example.com/a:1', two.digest],
    ]);
    await setImage(store, 'example.com/b:1', one);
    await setImage(store, 'example.com/b:2', one);
    expect(listImages(store.layout).filter((image) => image.name === undefined)).toEqual([]);
    expect((await removeName(store, 'example.com/b:1'))?.digest).toBe(one.digest);
    expect(findImage(store.layout, 'example.com/b:1')).toBeUndefined();
    expect(await removeName(store, 'example.com/b:1')).toBeUndefined();
  });

  it('survives many writers at once', async () => {
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'pull' });
    const image = await putImage(store, lease, ['1']);
    await Promise.all(Array.from({ length: 20 }, (_, n) => setImage(store, `example.com/a:${n}`, image)));
    expect(listImages(store.layout)).toHaveLength(20);
  });
});

describe('measureUsage', () => {
  it('adds up with du', async () => {
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'pull' });
    const one = await putImage(store, lease, ['a'.repeat(10_000), 'shared'.repeat(5_000)]);
    const two = await putImage(store, lease, ['b'.repeat(20_000), 'shared'.repeat(5_000)]);
    await setImage(store, 'example.com/one:1', one);
    await setImage(store, 'example.com/two:1', two);
    await putBlob(store, lease, OCI.layer, 'stray');
    writeFileSync(join(store.layout.ingest, `sha256-${'1'.repeat(64)}`), 'x');
    const usage = await measureUsage(store.layout);
    const du = Number(execFileSync('du', ['-s', '-B1', directory.path], { encoding: 'utf8' }).split('\t')[0]);
    expect(usage.totalBytes).toBe(du);
    expect(usage.partialBytes).toBeGreaterThan(0);
    expect(usage.otherBlobBytes).toBe(statSync(join(directory.path, 'oci-layout')).blocks * 512);
    const [first] = usage.images;
    expect(first?.names).toEqual(['example.com/one:1']);
    expect(first?.uniqueBytes).toBeLessThan(first?.bytes ?? 0);
  });
});
