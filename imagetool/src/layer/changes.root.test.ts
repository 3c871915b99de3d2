import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, lutimesSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import { file, member, unpackMembers } from '../archive/testing.ts';
import { digestOf } from '../digest/digest.ts';
import { temporaryDirectory } from '../store/testing.ts';
import { type Change, diffTrees } from './changes.ts';
import { copyTree } from './copy-tree.ts';
import { baseOf, parentOf } from './names.ts';
import { overlayChanges } from './overlay-changes.ts';
import { operations, perform } from './random-tree.ts';
import { applyArchive, applyMembers, asRoot, describeTree, sys } from './testing.ts';
import { type FileRecord, realTree } from './tree.ts';
import { writeLayer } from './write.ts';

const tree = (path: string) => realTree(sys, path, { isRootless: false });

function lookupIn(root: string): (path: string) => FileRecord | undefined {
  const real = tree(root);
  return (path) => {
    try {
      return real.list(parentOf(path)).get(baseOf(path));
    } catch {
      return undefined;
    }
  };
}

async function layerOf(changes: readonly Change[], root: string, epochSeconds?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const options = { parent: lookupIn(root), ...(epochSeconds === undefined ? {} : { epochSeconds }) };
  for await (const chunk of writeLayer(changes, tree(root), options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const listed = (changes: readonly Change[]) => changes.map(({ kind, path }) => `${kind} ${path}`);

describe('diffTrees', () => {
  it('finds what was added, changed and removed, and nothing else', () => {
    using directory = temporaryDirectory();
    const [lower, upper] = [join(directory.path, 'lower'), join(directory.path, 'upper')];
    mkdirSync(join(lower, 'd/gone'), { recursive: true });
    for (const name of ['same', 'grown', 'touched', 'moded', 'd/gone/x', 'linked', 'file-to-dir']) writeFileSync(join(lower, name), name);
    symlinkSync('same', join(lower, 'soft'));
    execFileSync('cp', ['-a', lower, upper]);
    expect(listed(diffTrees(tree(lower), tree(upper)))).toEqual([]);
    writeFileSync(join(upper, 'grown'), 'grown more');
    utimesSync(join(upper, 'touched'), 1, 1);
    chmodSync(join(upper, 'moded'), 0o600);
    rmSync(join(upper, 'd/gone'), { recursive: true });
    writeFileSync(join(upper, 'd/new'), '');
    linkSync(join(upper, 'linked'), join(upper, 'linked2'));
    rmSync(join(upper, 'file-to-dir'));
    mkdirSync(join(upper, 'file-to-dir'));
    lutimesSync(join(upper, 'soft'), 5, 5);
    expect(listed(diffTrees(tree(lower), tree(upper)))).toEqual([
      'delete d/gone',
      'add d/new',
      'modify file-to-dir',
      'modify grown',
      'modify linked',
      'add linked2',
      'modify moded',
      'modify soft',
      'modify touched',
    ]);
  });

  it('compares contents where times have no fraction', () => {
    using directory = temporaryDirectory();
    const [lower, upper] = [join(directory.path, 'lower'), join(directory.path, 'upper')];
    for (const root of [lower, upper]) mkdirSync(root);
    for (const [root, text] of [
      [lower, 'one'],
      [upper, 'two'],
    ] as const) {
      writeFileSync(join(root, 'f'), text);
      writeFileSync(join(root, 'g'), 'same');
      for (const name of ['f', 'g']) utimesSync(join(root, name), 1000, 1000);
    }
    expect(listed(diffTrees(tree(lower), tree(upper)))).toEqual(['modify f']);
  });

  it('makes any tree of any other', async () => {
    await fc.assert(
      fc.asyncProperty(operations, operations, async (first, second) => {
        using directory = temporaryDirectory();
        const [lower, upper] = [join(directory.path, 'lower'), join(directory.path, 'upper')];
        mkdirSync(lower);
        perform(lower, first);
        mkdirSync(upper);
        copyTree(sys, tree(lower), upper, { isRootless: false });
        expect(listed(diffTrees(tree(lower), tree(upper)))).toEqual([]);
        perform(upper, second);
        const layer = await layerOf(diffTrees(tree(lower), tree(upper)), upper);
        await applyArchive(lower, layer);
        expect(describeTree(lower, { times: true, directoryTimes: false })).toEqual(
          describeTree(upper, { times: true, directoryTimes: false }),
        );
      }),
      runs(25),
    );
  });
});

describe('overlayChanges', () => {
  it('says what an overlay’s upper directory says', async () => {
    await fc.assert(
      fc.asyncProperty(operations, operations, async (first, second) => {
        using directory = temporaryDirectory();
        const at = (name: string) => join(directory.path, name);
        for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name));
        perform(at('lower'), first);
        // Volatile: else each unmount writes the whole file system's pages to its disk.
        const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')},index=off,redirect_dir=off,metacopy=off,volatile`;
        call(sys, 'mount', 'overlay', 'overlay', at('merged'), 'overlay', 0, options);
        let merged: string[];
        try {
          perform(at('merged'), second);
          merged = describeTree(at('merged'), { times: true, directoryTimes: false });
        } finally {
          call(sys, 'umount2', at('merged'), at('merged'), 0);
        }
        const layer = await layerOf(overlayChanges(tree(at('upper')), lookupIn(at('lower'))), at('upper'));
        await applyArchive(at('lower'), layer);
        expect(describeTree(at('lower'), { times: true, directoryTimes: false })).toEqual(merged);
      }),
      runs(25),
    );
  });
});

describe('writeLayer', () => {
  it('writes the same bytes for the same tree, clamps times, and marks removals', async () => {
    using directory = temporaryDirectory();
    const make = async (name: string): Promise<Buffer> => {
      const [lower, upper] = [join(directory.path, `${name}-lower`), join(directory.path, `${name}-upper`)];
      for (const root of [lower, upper]) mkdirSync(root);
      writeFileSync(join(lower, 'gone'), '');
      for (const text of name === 'one' ? ['b', 'a'] : ['a', 'b']) writeFileSync(join(upper, text), text);
      mkdirSync(join(upper, 'old'));
      utimesSync(join(upper, 'old'), 500, 500);
      return await layerOf(diffTrees(tree(lower), tree(upper)), upper, 1000);
    };
    const [one, two] = [await make('one'), await make('two')];
    expect(digestOf(one)).toBe(digestOf(two));
    expect(unpackMembers(one).map(({ entry }) => [entry.path, entry.mtime.seconds])).toEqual([
      ['.wh.gone', 0],
      ['a', 1000],
      ['b', 1000],
      ['old/', 500],
    ]);
  });

  it('gives back owners and devices that a user without privileges recorded', async () => {
    using directory = temporaryDirectory();
    const [empty, root, restored] = ['empty', 'root', 'restored'].map((name) => join(directory.path, name)) as [string, string, string];
    for (const path of [empty, root, restored]) mkdirSync(path);
    const archive = await (async () => {
      const owned = { mode: 0o644, uid: 1000, gid: 2000 };

      await applyMembers(
        root,
        [
          member('d/', { type: 'directory', mode: 0o755, uid: 5 }),
          file('d/f', 'text', owned),
          member('null', { type: 'character', deviceMajor: 1, deviceMinor: 3, mode: 0o666 }),
        ],
        { whiteouts: 'remove', isRootless: true },
      );
      const rootless = (path: string) => realTree(sys, path, { isRootless: true });
      const chunks: Buffer[] = [];
      for await (const chunk of writeLayer(diffTrees(rootless(empty), rootless(root)), rootless(root), { parent: () => undefined }))
        chunks.push(chunk);
      return Buffer.concat(chunks);
    })();
    await applyArchive(restored, archive, asRoot);
    expect(describeTree(restored, { times: false }).slice(1)).toEqual([
      '/d | 40755 | 5:0 |  |  |  |  |  |  | ',
      `/d/f | 100644 | 1000:2000 | 4 |  |  |  |  |  | ${readFileSync(join(restored, 'd/f')).toString('base64')}`,
      '/null | 20666 | 0:0 | 0 |  | 259 |  |  |  | ',
    ]);
  });
});
