/** Builds of a user who is not root, and has no range of ids: with one owner for all files. */

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build as bundle } from 'esbuild';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../src/store/testing.ts';

/** Of nobody that /etc/passwd, /etc/subuid or a process knows. */
const USER = 51_234;

describeWith([rootUser, command('busybox')], 'builds without root', () => {
  let directory: TemporaryDirectory;
  const at = (name: string): string => join(directory.path, name);

  beforeAll(async () => {
    directory = temporaryDirectory();
    chmodSync(directory.path, 0o755);
    const root = resolve(__dirname, '../../..');
    await bundle({
      entryPoints: [join(root, 'imagetool/src/cli/main.ts')],
      outfile: at('tsimg.cjs'),
      bundle: true,
      format: 'cjs',
      platform: 'node',
      logLevel: 'error',
      external: ['koffi'],
    });
    execFileSync('cp', ['-rL', join(root, 'node_modules/koffi'), at('koffi')]);
    mkdirSync(at('node_modules'));
    execFileSync('mv', [at('koffi'), at('node_modules/koffi')]);
    const platform = `@koromix/koffi-linux-${process.arch}`;
    execFileSync('sh', [
      '-c',
      `test ! -d "$1/${platform}" || { mkdir -p "$2/@koromix" && cp -rL "$1/${platform}" "$2/@koromix/"; }`,
      'sh',
      join(root, 'node_modules'),
      at('node_modules'),
    ]);
    mkdirSync(at('home'));
    chownSync(at('home'), USER, USER);
  });
  afterAll(() => directory[Symbol.dispose]());

  function tsimg(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const options = {
      uid: USER,
      gid: USER,
      cwd: at('home'),
      env: { HOME: at('home'), PATH: process.env['PATH'] },
      encoding: 'utf8',
    } as const;
    return spawnSync(process.execPath, [at('tsimg.cjs'), ...args], options);
  }

  it('run steps, copy files, and leave nothing mounted', () => {
    mkdirSync(at('context'));
    writeFileSync(at('context/a'), 'a\n');
    writeFileSync(
      at('context/Dockerfile'),
      'FROM localhost/bb\nRUN id -u > /id && rm -r /var && mkdir /new\nCOPY a /new/\nRUN --mount=type=cache,target=/c --mount=type=secret,id=s cat /run/secrets/s /new/a >> /id\nUSER 0\nCMD ["cat", "/id"]\n',
    );
    writeFileSync(at('context/s'), 's3cret\n');
    expect(tsimg('bootstrap', 'localhost/bb')).toMatchObject({ status: 0 });
    const built = tsimg('build', '-t', 'localhost/mine', '--secret', `id=s,src=${at('context/s')}`, at('context'));
    expect(built.stderr).toContain('has no range in /etc/subuid');
    expect([built.status, built.stderr]).toEqual([0, expect.anything()]);
    expect(
      tsimg('build', '-t', 'localhost/mine', '--secret', `id=s,src=${at('context/s')}`, at('context')).stderr.match(/CACHED/g),
    ).toHaveLength(3);
    expect(tsimg('unpack', 'localhost/mine', at('home/bundle'))).toMatchObject({ status: 0 });
    expect(execFileSync('cat', [at('home/bundle/rootfs/id')], { encoding: 'utf8' })).toBe('0\ns3cret\na\n');
    expect(execFileSync('ls', [at('home/bundle/rootfs')], { encoding: 'utf8' })).not.toContain('var');
    expect(execFileSync('find', [at('home/.local/share/tsrun/build/work'), '-mindepth', '1'], { encoding: 'utf8' })).toBe('');
    expect(tsimg('gc')).toMatchObject({ status: 0 });
    expect(tsimg('build', '-q', '--target', 'none', at('context'))).toMatchObject({ status: 1 });
  }, 120_000);
});
