import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../../../specs/image/descriptor.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { file, type Member, member, packMembers } from '../archive/testing.ts';
import { digestOf } from '../digest/digest.ts';
import { collectAllGarbage } from '../image/collect-garbage.ts';
import { type LoadedImage, loadImage } from '../image/load.ts';
import { hostPlatform } from '../image/platform.ts';
import { prepareSnapshot, unpackedLayers } from '../image/prepare-snapshot.ts';
import { lengthOfChanges } from '../layer/changes.ts';
import { applyMembers, describeTree } from '../layer/testing.ts';
import { takeLease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import { putBlob, storeAt, type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { snapshotChanges } from './copied.ts';
import { removeUnneededLayers } from './layers.ts';
import { overlayOptions, removeSnapshot } from './overlay.ts';
import { isCopied } from './places.ts';
import { stackedTree } from './stacked-tree.ts';

let directory: TemporaryDirectory;
let store: Store;
beforeEach(() => {
  directory = temporaryDirectory();
  store = storeAt(join(directory.path, 'store'));
});
afterEach(() => directory[Symbol.dispose]());

async function imageOf(layers: readonly (readonly Member[])[]): Promise<LoadedImage> {
  const lease = await takeLease(store, { id: 'test' });
  const archives = layers.map((members) => packMembers(members));
  const descriptors: Descriptor[] = [];
  for (const archive of archives) descriptors.push(await putBlob(store, lease, OCI.layer, archive));
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: archives.map((archive) => digestOf(archive)) } };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: await putBlob(store, lease, OCI.config, JSON.stringify(config)),
    layers: descriptors,
  };
  const image = await putBlob(store, lease, OCI.manifest, JSON.stringify(manifest));
  lease.release();
  return await loadImage(store.layout, image, hostPlatform());
}

const dir = (path: string, fields = {}): Member => member(path, { type: 'directory', mode: 0o755, ...fields });

describe('prepareSnapshot', () => {
  it('shows the tree that applying the layers one on another makes', async () => {
    const layers = [
      [dir('d/'), file('d/a', '1'), file('d/b', '2'), dir('o/'), file('o/old', ''), dir('r/'), file('r/x', ''), file('f', 'file')],
      [dir('d/', { mode: 0o700 }), file('d/.wh.a', ''), file('d/c', '3'), dir('o/'), file('o/.wh..wh..opq', ''), file('o/new', '')],
      [file('.wh.r', ''), dir('r/'), file('r/y', ''), file('f', 'again', { mode: 0o4755 }), dir('f2/')],
    ];
    const snapshot = await prepareSnapshot(store, await imageOf(layers), { id: 'c1', isRootless: false });
    const flat = join(directory.path, 'flat');
    mkdirSync(flat, { mode: 0o755 });
    for (const members of layers) await applyMembers(flat, members);
    try {
      expect(describeTree(snapshot.merged, { times: false })).toEqual(describeTree(flat, { times: false }));
      writeFileSync(join(snapshot.merged, 'd/written'), 'x');
      expect(readFileSync(join(snapshot.upper, 'd/written'), 'utf8')).toBe('x');
    } finally {
      removeSnapshot(store, 'c1');
    }
  });

  it('copies the tree where overlayfs cannot lie on the file system, and finds what has changed by comparing', async () => {
    const places = ['lower', 'upper', 'work', 'on-overlay'].map((name) => join(directory.path, name));
    const [lower, upper, work, home = ''] = places;
    for (const path of places) mkdirSync(path);
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, home]);
    try {
      store = storeAt(join(home, 'store'));
      const layers = [
        [
          dir('d/', { uid: 5 }),
          file('d/a', 'x'.repeat(200_000), { mode: 0o4750, gid: 7 }),
          file('d/gone', ''),
          file('f', 'same'),
          member('d/hard', { type: 'hardlink', linkName: 'f' }),
          dir('r/'),
          file('r/x', ''),
          file('s', ''),
          dir('o/'),
          file('o/x', ''),
        ],
        [
          dir('d/', { uid: 5 }),
          file('d/.wh.gone', ''),
          file('.wh.r', ''),
          dir('r/'),
          file('r/y', ''),
          file('.wh.s', ''),
          member('s', { type: 'symlink', linkName: 'f' }),
          file('d/b', '2'),
          dir('o/'),
          file('o/.wh..wh..opq', ''),
        ],
      ];
      const image = await imageOf(layers);
      const snapshot = await prepareSnapshot(store, image, { id: 'c', isRootless: false });
      const flat = join(directory.path, 'flat');
      mkdirSync(flat, { mode: 0o755 });
      for (const members of layers) await applyMembers(flat, members);
      expect(describeTree(snapshot.merged, { times: false })).toEqual(describeTree(flat, { times: false }));
      const directories = (await unpackedLayers(store, image, { isRootless: false })).map(({ name }) => join(store.layout.snapshots, name));
      const tree = stackedTree(store.sys, directories.reverse(), { isRootless: false });
      const changes = () =>
        snapshotChanges(store, 'c', tree, { isRootless: false }).changes.map((change) => `${change.kind} ${change.path}`);
      expect([isCopied(store.layout, 'c'), changes()]).toEqual([true, []]);
      rmSync(join(snapshot.merged, 'd/b'));
      writeFileSync(join(snapshot.merged, 'd/new'), '');
      writeFileSync(join(snapshot.merged, 'd/a'), 'changed');
      expect(changes()).toEqual(['delete d/b', 'modify d/a', 'add d/new']);
      // What such a container takes by itself.
      expect(lengthOfChanges(snapshotChanges(store, 'c', tree, { isRootless: false }).changes)).toBe('changed'.length);
      expect((await collectAllGarbage(store, { all: true })).removedLayers).toEqual([]);
      removeSnapshot(store, 'c');
      expect((await collectAllGarbage(store)).removedLayers).toHaveLength(2);
    } finally {
      execFileSync('umount', ['-l', home]);
    }
  });

  it('mounts 120 layers', async () => {
    const layers = Array.from({ length: 120 }, (_, n) => [file(`f${n}`, `${n}`)]);
    const snapshot = await prepareSnapshot(store, await imageOf(layers), { id: 'many', isRootless: false });
    try {
      expect([0, 119].map((n) => readFileSync(join(snapshot.merged, `f${n}`), 'utf8'))).toEqual(['0', '119']);
    } finally {
      removeSnapshot(store, 'many');
    }
    expect(removeUnneededLayers(store.layout, () => true)).toEqual([]);
    expect(removeUnneededLayers(store.layout, () => false)).toHaveLength(120);
  }, 120_000);

  it('keeps unpacked layers that images or snapshots need, and no others', async () => {
    const image = await imageOf([[file('a', '1')], [file('b', '2')]]);
    const snapshot = await prepareSnapshot(store, image, { id: 'used', isRootless: false });
    // The image is named nowhere: only the snapshot holds the layers.
    expect((await collectAllGarbage(store, { all: true })).removedLayers).toEqual([]);
    expect(readFileSync(join(snapshot.merged, 'b'), 'utf8')).toBe('2');
    removeSnapshot(store, 'used');
    expect((await collectAllGarbage(store)).removedLayers).toHaveLength(2);
  });

  it('shares layers between snapshots and mends what a killed process left', async () => {
    const image = await imageOf([[file('a', '1')]]);
    mkdirSync(join(store.layout.snapshots, 'new-999999999-1/x'), { recursive: true });
    const one = await prepareSnapshot(store, image, { id: 'one', isRootless: false });
    const two = await prepareSnapshot(store, image, { id: 'two', isRootless: false });
    try {
      rmSync(join(one.merged, 'a'));
      expect(readFileSync(join(two.merged, 'a'), 'utf8')).toBe('1');
    } finally {
      for (const id of ['one', 'two']) removeSnapshot(store, id);
    }
    removeUnneededLayers(store.layout, () => true);
    expect(describeTree(store.layout.snapshots).some((line) => line.includes('new-'))).toBe(false);
  });
});

describe('overlayOptions', () => {
  it('refuses more layers than fit', () => {
    const layers = Array.from({ length: 400 }, (_, n) => ({ diffId: digestOf(String(n)), name: `l/${String(n).padStart(12, '0')}` }));
    expect(() => overlayOptions({ id: 'x', layers, isRootless: false })).toThrow(/400 layers/);
  });
});
