/** With SOURCE_DATE_EPOCH the same files make the same image, whatever else is different about the machine. */

import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { TsimgCommand } from './command.ts';
import { BuildBench } from './testing.ts';

jest.setTimeout(180_000);

const EPOCH = 1_700_000_000;
const DOCKERFILE = [
  'FROM busybox AS made',
  'ARG SOURCE_DATE_EPOCH',
  'WORKDIR /work/deep',
  'RUN echo "$SOURCE_DATE_EPOCH $(hostname) $(umask) $TZ" > facts && mkdir -p z/y a && touch z/y/x a/b && ln a/b a/c && mkfifo pipe',
  'RUN --mount=type=bind,target=/context cp -r /context/src ./copied',
  'FROM busybox',
  'ENV PATH=/opt:$PATH',
  'COPY src /src',
  'COPY --chown=5:6 --chmod=u=rwX,go=rX src/b /owned/',
  'COPY --link src/sub /linked/',
  'COPY <<a <<b /inline/',
  'one',
  'a',
  'two',
  'b',
  'COPY --from=made /work /work',
  'RUN rm -r /src/sub && touch /src/new',
  'LABEL a=b',
  // What the build itself puts there is for everybody.
  'USER 5',
  'RUN --mount=type=bind,target=/new/place cat /etc/hosts /etc/resolv.conf /new/place/Dockerfile > /dev/null',
  'RUN <<script',
  '#!/bin/sh',
  'test -r "$0"',
  'script',
  '',
].join('\n');

interface Machine {
  readonly umask: string;
  readonly hostname: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mtime: number;
  /** In which order the directory has its files. */
  readonly order: (names: readonly string[]) => readonly string[];
}

const MACHINES: readonly [Machine, Machine] = [
  { umask: '022', hostname: 'one', env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' }, mtime: EPOCH + 86_400, order: (names) => names },
  {
    umask: '077',
    hostname: 'other.example',
    env: { TZ: 'America/Los_Angeles', LC_ALL: 'C.UTF-8', HOME: '/nonexistent' },
    mtime: EPOCH + 99_000_000,
    order: (names) => [...names].reverse(),
  },
];

function makeContext(directory: string, { mtime, order }: Machine): void {
  const files = ['b', 'a', 'Z', 'ä', 'sub/2', 'sub/1', 'sub/10'];
  for (const folder of ['', 'src', 'src/sub']) mkdirSync(join(directory, folder), { mode: 0o755 });
  writeFileSync(join(directory, 'Dockerfile'), DOCKERFILE);
  for (const name of order(files)) {
    const path = join(directory, 'src', name);
    writeFileSync(path, `content of ${name}\n`);
    chmodSync(path, name === 'a' ? 0o755 : 0o640);
  }
  symlinkSync('b', join(directory, 'src/link'));
  linkSync(join(directory, 'src/a'), join(directory, 'src/twin'));
  for (const name of [...files, 'link', 'twin', 'sub', '.']) lutimesSync(join(directory, 'src', name), mtime, mtime);
}

describeWith([rootUser, command('busybox'), command('unshare')], 'SOURCE_DATE_EPOCH', () => {
  async function buildOn(machine: Machine, epoch = EPOCH): Promise<string> {
    using bench = await BuildBench.make();
    const tsimg = await TsimgCommand.make(bench);
    const context = join(bench.directory.path, `context-${machine.hostname}`);
    makeContext(context, machine);
    const script = `echo ${machine.hostname} > /proc/sys/kernel/hostname && umask ${machine.umask} && exec "$@"`;
    const words = tsimg.argv('build', '-q', '-t', 'localhost/same', context);
    const env = { PATH: process.env['PATH'], ...machine.env, SOURCE_DATE_EPOCH: String(epoch) };
    const { status, stdout, stderr } = spawnSync('unshare', ['--uts', 'sh', '-c', script, 'sh', ...words], { env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.anything()]);
    expect(bench.leftovers()).toEqual([]);
    expect((await bench.text('localhost/same', 'work/deep/facts'))?.split(' ').slice(0, 3)).toEqual([String(epoch), 'build', '0022']);
    return stdout.trim();
  }

  it('makes the same digest on two machines', async () => {
    const [one, other] = [await buildOn(MACHINES[0]), await buildOn(MACHINES[1])];
    expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(other).toBe(one);
    // And the test can tell images apart.
    expect(await buildOn(MACHINES[0], EPOCH + 1)).not.toBe(one);
  });
});
