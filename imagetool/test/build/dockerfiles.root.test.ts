/** The Dockerfiles of imagetool/test/dockerfiles, built, looked at and run. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { readFileInRoot } from '../../src/layer/read-file.ts';
import { BuildBench } from './testing.ts';

interface Expected {
  readonly needs?: readonly string[];
  readonly build?: {
    readonly args?: Readonly<Record<string, string>>;
    readonly target?: string;
    readonly secrets?: Readonly<Record<string, string>>;
  };
  readonly output?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string | null>>;
}

const folder = join(__dirname, '../dockerfiles');
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'Dockerfile')));

function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8'));
}

/** An archive of Debian's file system, made by mmdebstrap: with it, the Dockerfiles that install packages are built as well. */
const debian = process.env['TSIMG_TEST_DEBIAN'];

describeWith([rootUser, command('busybox')], 'Dockerfiles', () => {
  let bench: BuildBench;
  beforeAll(async () => {
    bench = await BuildBench.make();
    if (debian !== undefined) await bench.run((await import('../../src/cli/commands/append.ts')).importCommand, debian, 'debian');
  });
  afterAll(() => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });

  const offline = names.filter((name) => expectedOf(name).needs === undefined);
  it('are at least forty', () => expect(offline.length).toBeGreaterThanOrEqual(40));

  describe.each(debian === undefined ? offline : names)('%s', (name) => {
    const expected = expectedOf(name);
    it('builds, and the image is what it should be', async () => {
      const args = Object.entries(expected.build?.args ?? {}).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
      const target = expected.build?.target === undefined ? [] : ['--target', expected.build.target];
      const secrets = Object.entries(expected.build?.secrets ?? {}).flatMap(([id, content]) => {
        writeFileSync(join(bench.directory.path, `secret-${id}`), content);
        return ['--secret', `id=${id},src=${join(bench.directory.path, `secret-${id}`)}`];
      });
      await bench.build('-q', '-t', `localhost/${name}`, ...args, ...target, ...secrets, join(folder, name));
      await bench.withTree(`localhost/${name}`, (root, { config }) => {
        const isEmpty = (value: unknown): boolean =>
          value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
        for (const [key, value] of Object.entries(expected.config ?? {})) {
          const found = Object.entries(config.config ?? {}).find(([name]) => name === key)?.[1];
          if (value === null) expect([key, isEmpty(found) || found === '']).toEqual([key, true]);
          else expect({ [key]: found }).toEqual({ [key]: value });
        }
        for (const [path, content] of Object.entries(expected.files ?? {})) {
          const text = readFileInRoot(bench.store.sys, root, path.slice(1))?.toString('utf8') ?? null;
          expect({ [path]: text }).toEqual({ [path]: content });
        }
      });
      if (expected.output !== undefined) expect(await bench.output(`localhost/${name}`)).toBe(expected.output);
    }, 300_000);
  });
});
