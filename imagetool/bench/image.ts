/** The images that are measured: the same bytes on every machine, which compress about as programs and their texts do. */

import type { Descriptor } from '../../specs/image/descriptor.ts';
import { fromText } from '../src/archive/byte-string.ts';
import type { TarEntry } from '../src/archive/tar-entry.ts';
import { END_OF_ARCHIVE, encodeHeader, paddingFor } from '../src/archive/tar-writer.ts';
import { commitImage, storeLayer } from '../src/image/commit.ts';
import { emptyImage } from '../src/image/import.ts';
import { type LoadedImage, loadImage } from '../src/image/load.ts';
import { hostPlatform } from '../src/image/platform.ts';
import { takeLease } from '../src/store/leases.ts';
import { setImage } from '../src/store/refs.ts';
import type { Store } from '../src/store/store.ts';

export interface ImageSize {
  readonly layers: number;
  readonly files: number;
  /** Of all files together, uncompressed. */
  readonly bytes: number;
}

const CREATED = '2026-01-01T00:00:00Z';
const MTIME = { seconds: 1_700_000_000, nanoseconds: 0 };
const FILES_IN_DIRECTORY = 30;
const WORDS = 4096;

/** Makes the image and names it. */
export async function makeImage(store: Store, name: string, size: ImageSize): Promise<Descriptor> {
  const lease = await takeLease(store, { id: 'bench' });
  try {
    let base: LoadedImage = emptyImage(hostPlatform());
    let image: Descriptor | undefined;
    for (let layer = 0; layer < size.layers; layer += 1) {
      const stored = await storeLayer(store, lease, archive(layer, size), 'gzip');
      // A command, since a bundle is to run something.
      image = await commitImage(store, lease, base, stored, {
        created: CREATED,
        createdBy: `layer ${layer}`,
        edit: (config) => ({ ...config, Cmd: ['/bin/true'] }),
      });
      base = await loadImage(store.layout, image, hostPlatform());
    }
    if (image === undefined) throw new Error('an image needs a layer');
    await setImage(store, name, image);
    return image;
  } finally {
    lease.release();
  }
}

/** Many images of one small layer each told apart by a label, as a build server has them. */
export async function makeManyImages(store: Store, count: number): Promise<void> {
  const lease = await takeLease(store, { id: 'bench' });
  try {
    const layer = await storeLayer(store, lease, archive(0, { layers: 1, files: 3, bytes: 10_000 }), 'gzip');
    for (let at = 0; at < count; at += 1) {
      const image = await commitImage(store, lease, emptyImage(hostPlatform()), layer, {
        created: CREATED,
        createdBy: 'bench',
        edit: (config) => ({ ...config, Labels: { number: String(at) } }),
      });
      await setImage(store, `registry.example.com/team/app-${at % 50}:build-${at}`, image);
    }
  } finally {
    lease.release();
  }
}

/** One layer's files, in directories of thirty. */
async function* archive(layer: number, size: ImageSize): AsyncGenerator<Uint8Array, void, void> {
  const random = generator(layer + 1);
  const words = Array.from({ length: WORDS }, () => word(random));
  const count = Math.round(size.files / size.layers);
  const average = size.bytes / size.files;
  for (let at = 0; at < count; at += 1) {
    const directory = `usr/lib/part${layer}/d${Math.floor(at / FILES_IN_DIRECTORY)}`;
    if (at % FILES_IN_DIRECTORY === 0) yield encodeHeader(entry(directory, { type: 'directory', mode: 0o755 }));
    // Most files are small, few are large: from nothing to four times the average, which stays what it is.
    const content = text(random, words, Math.round(average * 4 * (random() / 2 ** 32) ** 3));
    yield encodeHeader(entry(`${directory}/file${at}`, { size: content.length }));
    yield content;
    yield paddingFor(content.length);
  }
  yield END_OF_ARCHIVE;
}

function text(random: () => number, words: readonly string[], length: number): Buffer {
  let content = '';
  while (content.length < length) content += `${words[random() % WORDS] ?? ''} `;
  return Buffer.from(content.slice(0, length));
}

function word(random: () => number): string {
  return random()
    .toString(36)
    .slice(0, 2 + (random() % 8));
}

/** xorshift32: 32 random bits a call, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function entry(path: string, fields: Partial<TarEntry>): TarEntry {
  return {
    path: fromText(path),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    userName: '',
    groupName: '',
    size: 0,
    mtime: MTIME,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...fields,
  };
}
