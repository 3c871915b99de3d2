/** Builds that are stopped, killed, fail, or run beside many others: nothing is left of them. */

import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { gc } from '../../src/cli/commands/gc.ts';
import { images } from '../../src/cli/commands/images.ts';
import { TsimgCommand } from './command.ts';
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

  /** A build in a process of its own, when it has begun a step. */
  async function begun(
    context: string,
    step: RegExp,
  ): Promise<{ child: ChildProcess; ended: Promise<number | null>; output: () => string }> {
    const child = tsimg.start('build', '-t', 'localhost/never', '--no-cache', context);
    let text = '';
    const ended = new Promise<number | null>((done) => child.once('close', done));
    child.stderr?.on('data', (chunk) => {
      text += String(chunk);
    });
    for (let attempt = 0; attempt < 2000 && !step.test(text); attempt += 1) await sleep(5);
    expect(text).toMatch(step);
    return { child, ended, output: () => text };
  }

  /** Processes whose root is in the store. */
  function processes(): string[] {
    return readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(`${bench.storeRoot}/snapshots/active`);
      } catch {
        return false;
      }
    });
  }

  const slow = {
    Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=x,required=false --mount=type=cache,target=/c echo started && sleep 60\n',
  };
  const big = {
    Dockerfile: 'FROM busybox\nRUN echo first\nCOPY . /all\nRUN sleep 60\n',
    ...Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`d${n % 50}/f${n}`, `${n}`])),
  };

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends a RUN at once', async (signal) => {
    const { child, ended, output } = await begun(bench.context('slow', slow), /^#\d+ [\d.]+ started/m);
    child.kill(signal);
    expect(await ended).toBe(1);
    expect(output()).toContain(`stopped by ${signal}`);
    expect([bench.leftovers(), processes()]).toEqual([[], []]);
    expect((await bench.run(images)).lines.join('\n')).not.toContain('never');
  });

  it('a signal in the middle of a COPY', async () => {
    const { child, ended } = await begun(bench.context('big', big), /COPY \. \/all/);
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
    expect([bench.leftovers(), processes()]).toEqual([[], []]);
  });

  it.each([
    ['a RUN', slow, /^#\d+ [\d.]+ started/m],
    ['a COPY', big, /COPY \. \/all/],
    ['the beginning', slow, /load build context/],
  ])('what kill -9 leaves in %s is removed by the next build, or by gc', async (_, files, step) => {
    for (const clean of [() => bench.run(gc), () => bench.build('-q', bench.context('next', { Dockerfile: 'FROM busybox\nRUN true\n' }))]) {
      const { child, ended } = await begun(bench.context('killed', files), step);
      child.kill('SIGKILL');
      await ended;
      await clean();
      expect([bench.leftovers(), processes()]).toEqual([[], []]);
    }
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
    const killed = await begun(bench.context('slow', slow), /started/);
    const results = Promise.all(contexts.map((context, n) => bench.build('-q', '-t', `localhost/many${n}`, context)));
    killed.child.kill('SIGKILL');
    await results;
    for (const n of [0, 7, 19]) {
      await bench.withTree(`localhost/many${n}`, (root) => expect(readFileSync(join(root, 'both'), 'utf8')).toBe(`${n % 5}\n${n % 3}`));
    }
    await bench.run(gc);
  });
});
