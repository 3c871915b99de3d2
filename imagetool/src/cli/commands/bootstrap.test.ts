import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { itWith, rootUser } from '../../../../.scripts/jest/requirement.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../store/testing.ts';
import { commandRunner } from '../testing.ts';
import { bootstrap } from './bootstrap.ts';
import { unpack } from './unpack.ts';

let directory: TemporaryDirectory;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

describe('bootstrap', () => {
  it('makes the same image of the same tools', async () => {
    const run = commandRunner(join(directory.path, 'store'));
    await run(bootstrap, '-t', 'env', 'mine:1');
    const { lines } = await run(bootstrap, '-t', 'env');
    // The same tools, the same image.
    expect((await run(bootstrap, '-t', 'env', 'mine:1')).lines).toEqual(lines);
    const bundle = join(directory.path, 'bundle');
    await run(unpack, 'mine:1', bundle);
    const rootfs = join(bundle, 'rootfs');
    expect([existsSync(join(rootfs, 'etc/passwd')), lstatSync(join(rootfs, 'bin/env')).isFile()]).toEqual([true, true]);
    expect(lstatSync(join(rootfs, 'tmp')).mode & 0o7777).toBe(0o1777);
  });

  itWith([rootUser], 'makes an image whose tools find their libraries', async () => {
    const run = commandRunner(join(directory.path, 'store'));
    const bundle = join(directory.path, 'bundle');
    await run(bootstrap, '-t', 'env', 'mine:1');
    await run(unpack, 'mine:1', bundle);
    const rootfs = join(bundle, 'rootfs');
    const { stdout } = spawnSync('chroot', [rootfs, '/bin/sh', '-c', '/bin/env A=b /bin/sh -c "echo $((6 * 7))"'], { encoding: 'utf8' });
    expect(stdout).toBe('42\n');
  });

  it('names the tool that is missing', async () => {
    const run = commandRunner(join(directory.path, 'store'));
    await expect(run(bootstrap, '-t', 'no-such-tool')).rejects.toThrow('this machine has no no-such-tool');
  });
});
