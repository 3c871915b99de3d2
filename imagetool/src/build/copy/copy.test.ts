import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createNodeSys } from '../../../../runtime/src/sys/node.ts';
import { type SearchableTree, searchableTree } from '../../snapshot/stacked-tree.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../store/testing.ts';
import { ignoreFilter } from '../context/filter.ts';
import { ignorePatterns, parseIgnoreFile } from '../ignore/ignore-file.ts';
import { placeFiles } from './place.ts';
import { NO_FILTER, type Origin, selectFiles } from './select.ts';

const sys = createNodeSys();
let directory: TemporaryDirectory;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

/** A value that begins with `->` is a link; a name that ends in `/` a directory. */
function tree(name: string, files: Readonly<Record<string, string>>): SearchableTree {
  const root = join(directory.path, name);
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path);
    mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true });
    if (content.startsWith('->')) symlinkSync(content.slice(2), at);
    else if (!path.endsWith('/')) writeFileSync(at, content);
  }
  return searchableTree(sys, root, { isRootless: false });
}

function origin(source: SearchableTree, ignore = ''): Origin {
  const filter = ignoreFilter(parseIgnoreFile(ignore), (line) => `line ${line} of .dockerignore excludes it`);
  return { tree: source, filter, name: 'the context', hashRoot: '', isForeign: true };
}

interface Wish {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly ignore?: string;
  readonly excludes?: readonly string[];
  readonly parents?: boolean;
}

/** What a COPY makes, as paths. */
function copied(source: SearchableTree, lower: SearchableTree, wish: Wish): string[] {
  const excludes = wish.excludes === undefined ? NO_FILTER : ignoreFilter(ignorePatterns(wish.excludes, '--exclude'), () => 'left out');
  const selections = selectFiles({ origin: origin(source, wish.ignore), sources: wish.sources, excludes, parents: wish.parents === true });
  const { changes } = placeFiles({
    lower,
    deliveries: [{ tree: source, selections, isForeign: true }],
    destination: wish.destination,
    nowSeconds: 0,
  });
  return changes.map(({ path }) => path);
}

const FILES = { a: '1', 'd/b': '2', 'd/e/c.md': '3', 'd/e/f': '4', link: '->d/b', out: '->/../../../etc/passwd', dirlink: '->d' };

describe('where files go', () => {
  it.each<[string, Wish, string[]]>([
    ['a file by its new name', { sources: ['a'], destination: '/x' }, ['x']],
    ['a file into a directory', { sources: ['a'], destination: '/x/' }, ['x', 'x/a']],
    ['a file into a directory that is there', { sources: ['a'], destination: '/there' }, ['there/a']],
    ['several files', { sources: ['a', 'd/b'], destination: '/x' }, ['x', 'x/a', 'x/b']],
    ['what is in a directory', { sources: ['d'], destination: '/x' }, ['x', 'x/b', 'x/e', 'x/e/c.md', 'x/e/f']],
    ['paths that leave the context', { sources: ['../../a'], destination: '/x' }, ['x']],
    ['the file behind a link', { sources: ['link'], destination: '/x/' }, ['x', 'x/link']],
    ['the directory behind a link', { sources: ['dirlink/e'], destination: '/x' }, ['x', 'x/c.md', 'x/f']],
    ['a pattern', { sources: ['d/e/*.md'], destination: '/x/' }, ['x', 'x/c.md']],
    ['a pattern that nothing matches', { sources: ['*.none'], destination: '/x/' }, []],
    ['through a link of the image', { sources: ['a'], destination: '/to-there/' }, ['there/a']],
    [
      'under links of the image, of directories copied over them',
      { sources: ['d'], destination: '/links' },
      ['links/b', 'there/c.md', 'there/f'],
    ],
    ['ignored files', { sources: ['d'], destination: '/x', ignore: '**/*.md\nd/b' }, ['x', 'x/e', 'x/e/f']],
    [
      'taken back files of ignored directories',
      { sources: ['.'], destination: '/x', ignore: '*\n!d/e/f' },
      ['x', 'x/d', 'x/d/e', 'x/d/e/f'],
    ],
    ['--exclude below the source', { sources: ['d'], destination: '/x', excludes: ['b', '**/*.md'] }, ['x', 'x/e', 'x/e/f']],
    ['--parents', { sources: ['d/e/f'], destination: '/x/', parents: true }, ['x', 'x/d', 'x/d/e', 'x/d/e/f']],
    ['--parents from a pivot', { sources: ['d/./e/f'], destination: '/x/', parents: true }, ['x', 'x/e', 'x/e/f']],
  ])('%s', (_, wish, expected) => {
    const lower = tree('lower', { 'there/': '', 'to-there': '->/there', 'links/e': '->/there' });
    expect(copied(tree('source', FILES), lower, wish)).toEqual(expected);
  });

  it.each<[string, Wish, RegExp]>([
    ['a missing file, with what is like it', { sources: ['d/bb'], destination: '/x' }, /the context has no "d\/bb"/],
    [
      'an ignored file',
      { sources: ['d/b'], destination: '/x', ignore: '# comment\nd/b' },
      /"d\/b" is in the context, but line 2 of .dockerignore excludes it/,
    ],
    ['a link that leads nowhere in the context', { sources: ['out'], destination: '/x' }, /has no "out"/],
    ['a directory on a file', { sources: ['d'], destination: '/file' }, /\/file in the image is no directory/],
    ['a file on a directory', { sources: ['d'], destination: '/taken' }, /\/taken\/b in the image is a directory/],
  ])('refuses %s', (_, wish, expected) => {
    const lower = tree('lower', { file: '', 'taken/b/': '' });
    expect(() => copied(tree('source', FILES), lower, wish)).toThrow(expected);
  });
});
