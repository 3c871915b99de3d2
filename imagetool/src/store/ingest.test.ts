import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { digestOf } from '../digest/digest.ts';
import { blobPath, ingestPath } from './blob-paths.ts';
import { openVerified, readVerified } from './blobs.ts';
import { writeCap } from './cap.ts';
import { beginIngest, storeBytes } from './ingest.ts';
import { takeLease } from './leases.ts';
import { storeAt, type TemporaryDirectory, temporaryDirectory } from './testing.ts';
import { BlobWriter } from './writer.ts';

const content = Buffer.alloc(300_000, 'abcdefg');
const expected = { digest: digestOf(content), size: content.length };

describe('beginIngest', () => {
  let directory: TemporaryDirectory;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => directory[Symbol.dispose]());

  const open = async () => {
    const store = storeAt(directory.path);
    return { store, lease: await takeLease(store, { id: 'test', expiresInMs: 1000 }) };
  };

  it('goes on where a killed writer stopped', async () => {
    const { store, lease } = await open();
    writeFileSync(ingestPath(store.layout, expected.digest), content.subarray(0, 1000));
    const kept: Uint8Array[] = [];
    const ingest = await beginIngest(store, expected, { lease, onKept: (chunk) => kept.push(chunk) });
    expect(ingest?.offset).toBe(1000);
    expect(Buffer.concat(kept)).toEqual(content.subarray(0, 1000));
    ingest?.write(content.subarray(1000));
    await ingest?.commit();
    expect(await readVerified(store.layout, expected)).toEqual(content);
    expect(readdirSync(store.layout.ingest)).toEqual([]);
  });

  it('keeps bytes when the source ends early, and drops them when they turn out wrong', async () => {
    const { store, lease } = await open();
    const short = await beginIngest(store, expected, { lease });
    short?.write(Buffer.from('wrong'));
    await expect(short?.commit()).rejects.toThrow(/5 of the 300000 bytes/);
    const resumed = await beginIngest(store, expected, { lease });
    expect(resumed?.offset).toBe(5);
    resumed?.write(content.subarray(5));
    await expect(resumed?.commit()).rejects.toThrow(/other content/);
    const fresh = await beginIngest(store, expected, { lease });
    expect(fresh?.offset).toBe(0);
    expect(() => fresh?.write(Buffer.concat([content, Buffer.from('x')]))).toThrow(/more than/);
    expect(existsSync(ingestPath(store.layout, expected.digest))).toBe(false);
  });

  it('lets one of two writers write, and tells the other that the blob is there', async () => {
    const { store, lease } = await open();
    const first = await beginIngest(store, expected, { lease });
    let isSecondDone = false;
    const second = beginIngest(store, expected, { lease }).then((ingest) => {
      isSecondDone = true;
      return ingest;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isSecondDone).toBe(false);
    first?.write(content);
    await first?.commit();
    expect(await second).toBeUndefined();
  });

  it('hands the work on when the first writer gives up', async () => {
    const { store, lease } = await open();
    const first = await beginIngest(store, expected, { lease });
    const second = beginIngest(store, expected, { lease });
    first?.discard();
    const ingest = await second;
    expect(ingest?.offset).toBe(0);
    ingest?.write(content);
    await ingest?.commit();
    expect(statSync(blobPath(store.layout, expected.digest)).mode & 0o777).toBe(0o444);
  });

  it('refuses what does not fit under the cap, before a byte is written', async () => {
    const { store, lease } = await open();
    writeCap(store.layout, 200_000);
    await expect(beginIngest(store, expected, { lease })).rejects.toMatchObject({ code: 'store-full' });
    writeCap(store.layout, undefined);
    await storeBytes(store, lease, expected, content);
  });
});

describe('reading blobs', () => {
  it('finds damage', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'test' });
    await storeBytes(store, lease, expected, content);
    const path = blobPath(store.layout, expected.digest);
    chmodSync(path, 0o644);
    writeFileSync(path, Buffer.concat([content.subarray(0, 299_999), Buffer.from('X')]));
    const read = async () => {
      for await (const _ of openVerified(store.layout, expected));
    };
    await expect(read()).rejects.toMatchObject({ code: 'digest' });
    await expect(readVerified(store.layout, { ...expected, size: expected.size + 1 })).rejects.toMatchObject({ code: 'digest' });
    await expect(readVerified(store.layout, expected, 1000)).rejects.toThrow(/may have 1000/);
    await expect(readVerified(store.layout, { ...expected, digest: digestOf('other') })).rejects.toMatchObject({ code: 'blob-unknown' });
  });
});

describe('BlobWriter', () => {
  it('stores content of any digest and forgets what is discarded', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'test' });
    const writer = new BlobWriter(store, 'sha512');
    await writer.write(content.subarray(0, 5));
    await writer.write(content.subarray(5));
    const written = await writer.commit(lease);
    expect(written).toEqual({ digest: digestOf(content, 'sha512'), size: content.length });
    expect(readFileSync(blobPath(store.layout, written.digest))).toEqual(content);
    const other = new BlobWriter(store);
    await other.write(content);
    other.discard();
    expect(readdirSync(store.layout.ingest)).toEqual([]);
  });

  it('gives back the space it took ahead', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    writeCap(store.layout, 64 * 1024 * 1024);
    const writer = new BlobWriter(store);
    await writer.write(content);
    const { digest } = await writer.commit(await takeLease(store, { id: 'test' }));
    expect(statSync(blobPath(store.layout, digest)).blocks * 512).toBeLessThan(400_000);
  });
});
