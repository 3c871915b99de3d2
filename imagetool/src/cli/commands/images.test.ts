/** Commands that make images of images, compare them, and look at them at a registry. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestRegistry } from '../../registry/test-registry.ts';
import { Transport } from '../../registry/transport.ts';
import { listImages } from '../../store/refs.ts';
import { storeAt, type TemporaryDirectory, temporaryDirectory } from '../../store/testing.ts';
import { type CommandRunner, commandRunner } from '../testing.ts';
import { append, importCommand } from './append.ts';
import { diff } from './diff.ts';
import { exportCommand } from './export.ts';
import { history } from './history.ts';
import { inspect } from './inspect.ts';
import { mutate } from './mutate.ts';
import { prune } from './prune.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import { squash } from './squash.ts';
import { tag } from './tag.ts';
import { unpack } from './unpack.ts';

let directory: TemporaryDirectory;
let registry: TestRegistry;
let transport: Transport;
let run: CommandRunner;
const at = (...names: string[]) => join(directory.path, ...names);

beforeEach(async () => {
  directory = temporaryDirectory();
  registry = new TestRegistry();
  await registry.start();
  transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
  run = commandRunner(at('store'), transport);
  archive('one', { 'etc/kept': 'same', 'etc/changed': 'old', 'etc/gone': 'x' });
  archive('two', { 'etc/changed': 'newer', 'etc/added': 'a', 'etc/.wh.gone': '' });
  await run(importCommand, at('one.tar'), 'base:1');
  await run(append, 'base:1', at('two.tar'), 'base:2');
});
afterEach(async () => {
  await transport.close();
  await registry.stop();
  directory[Symbol.dispose]();
});

function archive(name: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(at(name, 'etc'), { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(at(name, path), content);
  execFileSync('tar', ['-C', at(name), '--mtime=@1600000000', '-cf', at(`${name}.tar`), 'etc']);
}

const namesIn = (path: string) => execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim().split('\n');

describe('diff of images', () => {
  it('tells files, configuration and sizes, and says by its exit code that there is a difference', async () => {
    await run(mutate, '--cmd', 'sh', '-e', 'A=b', 'base:2', 'base:3');
    const { status, lines } = await run(diff, 'base:1', 'base:3');
    expect([status, lines.slice(0, -1)]).toEqual([
      1,
      ['D /etc/gone', 'A /etc/added', 'C /etc/changed', 'config.Cmd: - -> ["sh"]', 'config.Env: - -> ["A=b"]', 'layers: 1 -> 2, 1 in both'],
    ]);
    expect(lines.at(-1)).toMatch(/^size: \d+B -> \d+B$/);
    const json = JSON.parse((await run(diff, '--json', 'base:1', 'base:3')).lines.join('\n')) as { files: object[] };
    expect(json.files).toContainEqual({ kind: 'C', path: '/etc/changed', oldSize: 3, newSize: 5 });
    expect(await run(diff, 'base:1', 'base:1')).toMatchObject({ status: 0, lines: [] });
  });

  it('reads an image at a registry without keeping it', async () => {
    await run(push, 'base:2', `${registry.host}/team/app:2`);
    const before = listImages(storeAt(at('store')).layout).length;
    expect(await run(diff, 'base:2', `docker://${registry.host}/team/app:2`)).toMatchObject({ status: 0, lines: [] });
    expect((await run(diff, 'base:1', `docker://${registry.host}/team/app:2`)).lines).toContain('A /etc/added');
    expect(listImages(storeAt(at('store')).layout)).toHaveLength(before);
  });
});

describe('squash', () => {
  it('makes one layer with the same files', async () => {
    await run(squash, 'base:2', 'base:flat');
    expect(await run(diff, 'base:2', 'base:flat')).toMatchObject({ status: 0 });
    const steps = JSON.parse((await run(history, '--json', 'base:flat')).lines.join('\n')) as { createdBy: string; size: number }[];
    expect(steps.map((step) => [step.createdBy.split(' ')[1], step.size > 0])).toEqual([
      ['squash', true],
      ['append', false],
      ['import', false],
    ]);
  });
});

describe('export', () => {
  it('writes an image’s and a bundle’s files, the same bytes each time', async () => {
    await run(exportCommand, '-o', at('image.tar'), 'base:2');
    expect(namesIn(at('image.tar'))).toEqual(['./', 'etc/', 'etc/added', 'etc/changed', 'etc/kept']);
    await run(unpack, 'base:2', at('bundle'), '--', 'sh');
    await run(exportCommand, '-o', at('bundle.tar'), at('bundle'));
    expect(namesIn(at('bundle.tar'))).toEqual(namesIn(at('image.tar')));
  });
});

describe('unpack', () => {
  it('makes nothing of an image that names no command', async () => {
    await expect(run(unpack, 'base:2', at('bundle'))).rejects.toMatchObject({ code: 'no-command' });
    expect(existsSync(at('bundle'))).toBe(false);
  });
});

describe('history and inspect of remote images', () => {
  it('fetch no layers', async () => {
    await run(push, 'base:2', `${registry.host}/team/app:2`);
    registry.log.length = 0;
    const name = `docker://${registry.host}/team/app:2`;
    expect((await run(history, name)).lines).toHaveLength(3);
    const text = (await run(inspect, '--remote', `${registry.host}/team/app:2`)).lines.join('\n');
    expect(JSON.parse(text)).toMatchObject([{ name: `${registry.host}/team/app:2`, config: { os: 'linux' } }]);
    expect((await run(inspect, '--raw', name)).lines.join()).toContain('"schemaVersion":2');
    // The configuration, once for each of the two that looked at it.
    expect(registry.log.filter((line) => line.startsWith('GET') && line.includes('/blobs/'))).toHaveLength(2);
  });
});

describe('pull --all-tags', () => {
  it('pulls each tag of the repository', async () => {
    for (const one of ['1', '2']) await run(push, `base:${one}`, `${registry.host}/team/app:${one}`);
    const other = commandRunner(at('other'), transport);
    const name = `${registry.host}/team/app`;
    expect((await other(pull, '-q', '--all-tags', name)).lines).toEqual([`${name}:1`, `${name}:2`]);
    await expect(other(pull, '--all-tags', `${name}:1`)).rejects.toThrow(/without tag/);
  });
});

describe('prune', () => {
  it('removes what has lost its name, in docker’s words', async () => {
    await run(tag, 'base:1', 'base:2');
    const { lines } = await run(prune, '-f');
    expect(lines[0]).toMatch(/^Deleted Images:\nuntagged: sha256:\w{64}\ndeleted: sha256:/);
    expect(lines[1]).toMatch(/^Total reclaimed space: [1-9]/);
    expect(await run(prune, '-f')).toMatchObject({ lines: ['Total reclaimed space: 0B'] });
  });
});
