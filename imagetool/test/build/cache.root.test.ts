/** What the cache takes for the same, and what not; what is the same everywhere. */

import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { BuildBench } from './testing.ts';

const DOCKERFILE = `FROM busybox
ARG VERSION=1
RUN echo first
COPY src /src
RUN echo $VERSION > /version
LABEL a=b
`;

describeWith([rootUser, command('busybox')], 'the cache of steps', () => {
  let bench: BuildBench;
  beforeAll(async () => {
    bench = await BuildBench.make();
  });
  afterAll(() => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });

  const copy = 'COPY src /src';
  const version = 'RUN echo $VERSION > /version';

  it('goes by content', async () => {
    const context = bench.context('content', { Dockerfile: DOCKERFILE, 'src/a': 'a', 'src/b': 'b' });
    expect((await bench.steps(context)).cached).toEqual([]);
    expect((await bench.steps(context)).made).toEqual([]);
    utimesSync(join(context, 'src/a'), 1, 1);
    expect((await bench.steps(context)).made).toEqual([]);
    // The same size and the same time as before.
    writeFileSync(join(context, 'src/a'), 'x');
    utimesSync(join(context, 'src/a'), 1, 1);
    expect((await bench.steps(context)).made).toEqual([copy, version]);
    chmodSync(join(context, 'src/a'), 0o600);
    expect((await bench.steps(context)).made).toEqual([copy, version]);
    writeFileSync(join(context, 'src/a'), 'a');
    chmodSync(join(context, 'src/a'), 0o644);
    expect((await bench.steps(context)).made).toEqual([]);
  });

  it('takes arguments into account where they are used', async () => {
    const context = bench.context('arguments', { Dockerfile: DOCKERFILE, 'src/a': 'a' });
    await bench.build('-q', context);
    // An argument is part of the environment of every RUN after it.
    expect((await bench.steps('--build-arg', 'VERSION=2', context)).made).toEqual(['RUN echo first', version]);
    expect((await bench.steps('--build-arg', 'HTTP_PROXY=http://127.0.0.1:1', context)).made).toEqual([]);
    expect((await bench.steps('--no-cache', context)).cached).toEqual([]);
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE.replace('a=b', 'a=c'));
    expect((await bench.steps(context)).made).toEqual([]);
  });

  it('explains what has changed', async () => {
    const context = bench.context('explain', { Dockerfile: DOCKERFILE, 'src/a': 'a' });
    await bench.build('-q', context);
    const explain = async (...args: string[]): Promise<string[]> =>
      (await bench.build('--explain', ...args, context)).notes.flatMap((line) => /^#\d+ ((?:hit|miss): .*)/.exec(line)?.[1] ?? []);
    writeFileSync(join(context, 'src/a'), 'b');
    expect(await explain()).toEqual([
      expect.stringMatching(/^hit/),
      expect.stringMatching(/^miss: file src\/a changed: /),
      expect.stringMatching(/^miss: the layers below changed: /),
    ]);
    expect((await explain('--build-arg', 'VERSION=3'))[0]).toBe('miss: variable VERSION changed: 1 → 3');
  });

  it('travels in a directory, whose layers are checked', async () => {
    const context = bench.context('travels', { Dockerfile: DOCKERFILE, 'src/a': 'travels' });
    const directory = join(bench.directory.path, 'exported');
    const { lines } = await bench.build('-q', '--cache-to', `type=local,dest=${directory}`, context);
    using other = await BuildBench.make();
    const { cached, made } = await other.steps('--cache-from', `type=local,src=${directory}`, context);
    expect([made, cached.length]).toEqual([[], 3]);
    expect((await other.build('-q', context)).lines).toEqual(lines);
    const document: { records: Record<string, { layer?: { descriptor: { digest: string } } }> } = JSON.parse(
      readFileSync(join(directory, 'cache.json'), 'utf8'),
    );
    const digest = Object.values(document.records).find(({ layer }) => layer !== undefined)?.layer?.descriptor.digest ?? '';
    writeFileSync(join(directory, 'blobs/sha256', digest.slice('sha256:'.length)), 'damaged');
    using third = await BuildBench.make();
    expect((await third.steps('--cache-from', `type=local,src=${directory}`, context)).made.length).toBeGreaterThan(0);
  });

  it('makes the same image in every store, by SOURCE_DATE_EPOCH', async () => {
    const dockerfile = `FROM busybox AS one\nWORKDIR /work\nRUN date > /dev/null && touch made && mkdir dir && echo x > dir/y\nFROM one\nCOPY . /src\nCOPY <<f /inline\nhello\nf\n`;
    const context = bench.context('epoch', { Dockerfile: dockerfile, a: 'a' });
    const { lines } = await bench.build('-q', '--no-cache', context);
    using other = await BuildBench.make();
    execFileSync('touch', [join(context, 'a')]);
    expect((await other.build('-q', context)).lines).toEqual(lines);
    expect((await bench.build('-q', '--twice', context)).status).toBe(0);
    const changing = bench.context('changing', { Dockerfile: 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /var/log-id\n' });
    const twice = await bench.build('-q', '--twice', changing);
    expect([twice.status, twice.notes]).toEqual([1, expect.arrayContaining(['    /var/log-id: content'])]);
  });
});
