/** The native front beside the Node command: the same output, without Node where it can be done without. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { itWith } from '../../../.scripts/jest/requirement.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { hostPlatform } from '../image/platform.ts';
import { readListing } from '../image/read-listing.ts';
import { takeLease } from '../store/leases.ts';
import { setImage } from '../store/refs.ts';
import { putImage, storeAt, type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { images } from './commands/images.ts';
import { version } from './commands/version.ts';
import { quickAnswer } from './quick.ts';
import { commandRunner } from './testing.ts';

const dist = resolve(__dirname, '../../../dist');
const front = join(dist, 'bin/tsimg');
const native = { what: 'native engine (npm run build)', met: existsSync(join(dist, '.build/native/tsimg/image')) };
/** KiB of address space in which the front works and Node does not start. */
const TOO_SMALL_FOR_NODE = 300_000;

const sys = createNodeSys();
let directory: TemporaryDirectory;
const root = () => join(directory.path, 'store');
const quick = (...argv: string[]) => quickAnswer({ ...sys, argv: ['tsimg', ...argv], environ: [] });

beforeAll(async () => {
  directory = temporaryDirectory();
  const store = storeAt(root());
  const lease = await takeLease(store, { id: 'test' });
  await setImage(store, 'docker.io/library/busybox:1', await putImage(store, lease, ['12345', '678']));
  await setImage(store, 'example.com/grüße und mehr', await putImage(store, lease, ['1']));
  await readListing(store.layout, hostPlatform());
});
afterAll(() => directory[Symbol.dispose]());

const LISTS = [
  ['images'],
  ['ls', '-q'],
  ['images', '--json'],
  ['--progress', 'plain', 'images', '--digests', '--no-trunc'],
  ['images', '-q', '--no-trunc'],
];

describe('the quick answer', () => {
  it.each(LISTS)('to %s %s %s is that of the command', async (...words) => {
    const args = words.slice(words.indexOf('images') + words.indexOf('ls') + 2);
    const { lines } = await commandRunner(root())(images, ...args);
    expect(quick('--root', root(), ...words)).toBe(`${lines.join('\n')}\n`);
  });

  it('to version is that of the command', async () => {
    const { lines } = await commandRunner(root())(version);
    expect([quick('--version'), quick('version')]).toEqual([`${lines.join('\n')}\n`, `${lines.join('\n')}\n`]);
  });

  it('leaves everything else to Node', () => {
    const left = [[], ['help'], ['images', '--help'], ['images', 'x', 'y'], ['pull', 'x'], ['nonsense'], ['version', 'x'], ['-v', 'x']];
    expect(left.map((words) => quick('--root', root(), ...words))).toEqual(left.map(() => undefined));
    expect(quick('--root', join(directory.path, 'missing'), 'images')).toBeUndefined();
    expect(() => quick('images', '--nonsense')).toThrow(/nonsense/);
  });

  it('follows the index as long as it names nothing new', async () => {
    const store = storeAt(root());
    const known = JSON.parse(quick('--root', root(), 'images', '--json') ?? '') as { digest: string }[];
    const index = JSON.parse(readFileSync(store.layout.index, 'utf8')) as { manifests: object[] };
    const before = readFileSync(store.layout.index);
    writeFileSync(store.layout.index, JSON.stringify({ ...index, manifests: [...index.manifests].reverse() }));
    expect(JSON.parse(quick('--root', root(), 'images', '--json') ?? '')).toEqual([...known].reverse());
    const stranger = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${'a'.repeat(64)}`, size: 1 };
    writeFileSync(store.layout.index, JSON.stringify({ ...index, manifests: [...index.manifests, stranger] }));
    expect(quick('--root', root(), 'images')).toBeUndefined();
    writeFileSync(store.layout.index, before);
  });
});

describe('the native front', () => {
  const run = (path: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = spawnSync(path, words, { encoding: 'utf8', env });
    return { status, stdout, stderr };
  };
  const withoutNode = (...words: string[]) =>
    run('/bin/sh', ['-c', `ulimit -c 0; ulimit -v ${TOO_SMALL_FOR_NODE}; exec "$0" "$@"`, front, ...words]);

  itWith([native], 'says what Node says, byte for byte, and needs no Node', () => {
    for (const words of [...LISTS, ['version']]) {
      const line = ['--root', root(), ...words];
      const byNode = run(process.execPath, ['--no-warnings', join(dist, 'tsimg.cjs'), ...line]);
      expect(byNode).toMatchObject({ status: 0, stderr: '' });
      expect(withoutNode(...line)).toEqual(byNode);
    }
  });

  itWith([native], 'becomes Node for the rest, with the environment but for what Node would obey', () => {
    expect(withoutNode('help').status).not.toBe(0);
    const env = { NODE_OPTIONS: '--require=/nonexistent', NODE_PATH: '/nonexistent', XDG_DATA_HOME: '/nonexistent/grüße', HOME: '/' };
    expect(run(front, ['help'], env)).toMatchObject({ status: 0, stderr: '' });
    expect(run(front, ['nonsense', 'ä'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'tsimg: there is no command "nonsense"; tsimg help lists them\n',
    });
  });
});
