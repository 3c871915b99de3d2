/** Cache mounts as things of their own: listed, moved to another store, removed. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { TsimgCommand } from './command.ts';
import { BuildBench } from './testing.ts';

jest.setTimeout(120_000);

describeWith([rootUser, command('busybox')], 'cache mounts', () => {
  let benches: [BuildBench, BuildBench];
  let here: TsimgCommand;
  let there: TsimgCommand;
  beforeAll(async () => {
    benches = [await BuildBench.make(), await BuildBench.make()];
    here = await TsimgCommand.make(benches[0]);
    there = await TsimgCommand.make(benches[1]);
  });
  afterAll(() => {
    for (const bench of benches) {
      expect(bench.leftovers()).toEqual([]);
      bench[Symbol.dispose]();
    }
  });

  const dockerfile = (run: string): string => `FROM busybox\nRUN --mount=type=cache,id=packages,target=/cache ${run}\n`;
  const fill = dockerfile('head -c 100000 /dev/zero > /cache/a && mkdir /cache/d && ln -s ../a /cache/d/link && chown 7:8 /cache/a');
  const look = dockerfile('stat -c "%s %u:%g" /cache/a > /seen && readlink /cache/d/link >> /seen');

  it('are listed with their size, and exported to and imported by another store', async () => {
    const [one, two] = benches;
    await one.build('-q', one.context('fill', { Dockerfile: fill }));
    const { stdout } = await here.run('', 'cache', 'ls', '--json');
    const [listed] = JSON.parse(stdout.toString());
    expect(listed).toMatchObject({ id: 'packages' });
    expect(listed.bytes).toBeGreaterThanOrEqual(100_000);
    expect(listed.bytes).toBeLessThan(200_000);
    const archive = join(one.directory.path, 'cache.tar');
    expect(await here.run('', 'cache', 'export', '-o', archive, 'packages')).toMatchObject({ status: 0 });
    expect(await there.run('', 'cache', 'import', 'packages', archive)).toMatchObject({ status: 0 });
    await two.build('-q', '-t', 'localhost/look', two.context('look', { Dockerfile: look }));
    expect(await two.text('localhost/look', 'seen')).toBe('100000 7:8\n../a\n');
  });

  it('are removed by their id, and what is not there is said', async () => {
    const [one] = benches;
    await one.build('-q', one.context('other', { Dockerfile: 'FROM busybox\nRUN --mount=type=cache,id=other,target=/c touch /c/x\n' }));
    expect(await here.run('', 'cache', 'rm', 'other')).toMatchObject({ status: 0 });
    expect((await here.run('', 'cache', 'ls')).stdout.toString()).not.toContain('other');
    for (const words of [
      ['rm', 'other'],
      ['export', 'other'],
    ]) {
      const { status, stderr } = await here.run('', 'cache', ...words);
      expect([status, stderr]).toEqual([1, expect.stringContaining('there is no cache mount "other"')]);
    }
    const missing = await here.run('', 'cache', 'import', 'other', join(one.directory.path, 'missing.tar'));
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('there is no file')]);
  });

  it('keep what they have when what is imported is no archive', async () => {
    const [one] = benches;
    const keep = one.context('keep', { Dockerfile: 'FROM busybox\nRUN --mount=type=cache,id=keep,target=/c echo kept > /c/x\n' });
    await one.build('-q', keep);
    const garbage = join(one.directory.path, 'garbage.tar');
    writeFileSync(garbage, 'x'.repeat(2000));
    expect((await here.run('', 'cache', 'import', 'keep', garbage)).status).toBe(1);
    const { stdout } = await here.run('', 'cache', 'ls', '--json');
    const kept = (JSON.parse(stdout.toString()) as { id: string; directory: string }[]).find(({ id }) => id === 'keep');
    expect(existsSync(join(kept?.directory ?? '', 'x'))).toBe(true);
  });
});
