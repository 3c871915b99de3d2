/** Builds that are killed, fail, or run beside many others: nothing is left of them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { gc } from '../../src/cli/commands/gc.ts';
import { images } from '../../src/cli/commands/images.ts';
import { TsimgCommand } from './command.ts';
import { RunningBuild } from './running-build.ts';
import { BuildBench } from './testing.ts';

/** Each makes several images: many seconds on a machine that has other work. */
jest.setTimeout(180_000);

describeWith([rootUser, command('busybox')], 'builds that do not come to their end', () => {
  let bench: BuildBench;
  let tsimg: TsimgCommand;

  beforeAll(async () => {
    // Twenty builds in this process listen for signals.
    process.setMaxListeners(50);
    bench = await BuildBench.make();
    tsimg = await TsimgCommand.make(bench);
  });
  afterAll(() => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });

  const slow = {
    Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=x,required=false --mount=type=cache,target=/c echo started && sleep 60\n',
  };
  it.each([
    ['a RUN', slow, /^#\d+ [\d.]+ started/m],
    ['the beginning', slow, /load build context/],
  ])('what kill -9 leaves in %s is removed by the next build', async (_, files, step) => {
    using build = new RunningBuild(tsimg, '--no-cache', bench.context('killed', files));
    await build.shows(step);
    await build.stop('SIGKILL');
    await bench.build('-q', bench.context('next', { Dockerfile: 'FROM busybox\nRUN true\n' }));
    expect([bench.leftovers(), build.processes(bench.storeRoot)]).toEqual([[], []]);
  });

  it('a failing step stops the others, and tags nothing', async () => {
    const context = bench.context('failing', {
      Dockerfile:
        'FROM busybox AS one\nRUN sleep 60\nFROM busybox AS two\nRUN sleep 0.2; echo reason; exit 7\nFROM scratch\nCOPY --from=one /etc /\nCOPY --from=two /etc /\n',
    });
    const began = Date.now();
    await expect(bench.build('-t', 'localhost/never', context)).rejects.toThrow(/exit code: 7\n(?:.*\n)*.*\| reason/);
    // Only that the long step was not waited for.
    expect(Date.now() - began).toBeLessThan(50_000);
    expect(bench.leftovers()).toEqual([]);
    expect((await bench.run(images)).lines.join('\n')).not.toContain('never');
  });

  it('twenty at once in one store, of which one is killed', async () => {
    const contexts = Array.from({ length: 20 }, (_, n) =>
      bench.context(`many${n}`, { Dockerfile: `FROM busybox\nRUN echo ${n % 5} > /n\nCOPY a /a\nRUN cat /n /a > /both\n`, a: `${n % 3}` }),
    );
    using killed = new RunningBuild(tsimg, '--no-cache', bench.context('slow', slow));
    await killed.shows(/^#\d+ [\d.]+ started/m);
    const results = Promise.all(contexts.map((context, n) => bench.build('-q', '-t', `localhost/many${n}`, context)));
    await killed.stop('SIGKILL');
    await results;
    for (const n of [0, 7, 19]) {
      await bench.withTree(`localhost/many${n}`, (root) => expect(readFileSync(join(root, 'both'), 'utf8')).toBe(`${n % 5}\n${n % 3}`));
    }
    await bench.run(gc);
  });
});
