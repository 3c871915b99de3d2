import { writeFileSync } from 'node:fs';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { removeBlob } from '../store/blobs.ts';
import { takeLease } from '../store/leases.ts';
import { putImage, storeAt, temporaryDirectory } from '../store/testing.ts';
import { hostPlatform } from './platform.ts';
import { summarize } from './summaries.ts';

describe('summarize', () => {
  it('keeps what it has found out, and finds it out again when the file is damaged', async () => {
    using directory = temporaryDirectory();
    const { layout, ...store } = storeAt(directory.path);
    const lease = await takeLease({ layout, ...store }, { id: 'test' });
    const image = await putImage({ layout, ...store }, lease, ['12345', '678']);
    const missing = { mediaType: OCI.manifest, digest: digestOf('missing'), size: 1 };
    const first = await summarize(layout, [missing, image], hostPlatform());
    expect(first).toMatchObject([{ id: missing.digest }, { size: 8 }]);
    writeFileSync(layout.summaries, '{');
    expect(await summarize(layout, [missing, image], hostPlatform())).toEqual(first);
    // Now from the file: the image itself is not looked at.
    removeBlob(layout, image.digest);
    expect(await summarize(layout, [image], hostPlatform())).toEqual([first[1]]);
  });
});
