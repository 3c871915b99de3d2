import { readFileSync, writeFileSync } from 'node:fs';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { removeBlob } from '../store/blobs.ts';
import { takeLease } from '../store/leases.ts';
import { addImage, setImage } from '../store/refs.ts';
import { putImage, storeAt, temporaryDirectory } from '../store/testing.ts';
import { hostPlatform } from './platform.ts';
import { readListing } from './read-listing.ts';

const platform = hostPlatform();

describe('readListing', () => {
  it('names images as docker does, and shows what cannot be read by its digest alone', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'test' });
    const image = await putImage(store, lease, ['12345', '678']);
    const missing = { mediaType: OCI.manifest, digest: digestOf('missing'), size: 1 };
    await setImage(store, 'docker.io/library/busybox:1', image);
    await setImage(store, 'written by another tool', image);
    await addImage(store, missing);
    expect(await readListing(store.layout, platform)).toMatchObject([
      { repository: 'busybox', tag: '1', digest: image.digest, size: 8 },
      { repository: 'written by another tool', tag: '<none>', size: 8 },
      { repository: '<none>', tag: '<none>', id: missing.digest },
    ]);
  });

  it('keeps what it has found out, and finds it out again when the file is damaged', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    const lease = await takeLease(store, { id: 'test' });
    const image = await putImage(store, lease, ['12345']);
    await setImage(store, 'example.com/a:1', image);
    const first = await readListing(store.layout, platform);
    writeFileSync(store.layout.listing, '{');
    expect(await readListing(store.layout, platform)).toEqual(first);
    // Now from the file: neither the image nor, while it is the same, the index is looked at.
    removeBlob(store.layout, image.digest);
    expect(await readListing(store.layout, platform)).toEqual(first);
    await setImage(store, 'example.com/b:1', image);
    expect(await readListing(store.layout, platform)).toEqual([...first, { ...first[0], repository: 'example.com/b' }]);
  });

  it('sees an index that another tool has written in place', async () => {
    using directory = temporaryDirectory();
    const store = storeAt(directory.path);
    await setImage(store, 'example.com/a:1', await putImage(store, await takeLease(store, { id: 'test' }), ['1']));
    await readListing(store.layout, platform);
    writeFileSync(store.layout.index, readFileSync(store.layout.index, 'utf8').replaceAll('example.com/a:1', 'example.com/a:2'));
    expect((await readListing(store.layout, platform)).map((one) => one.tag)).toEqual(['2']);
  });
});
