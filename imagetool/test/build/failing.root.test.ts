/** What a build says of a step that fails, and what is left of it. */

import { readFileSync } from 'node:fs';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { TsimgCommand } from './command.ts';
import { BuildBench } from './testing.ts';

jest.setTimeout(120_000);

const LINES = 100;
const LAST = 40;

describeWith([rootUser, command('busybox')], 'a step that fails', () => {
  let bench: BuildBench;
  let tsimg: TsimgCommand;
  beforeAll(async () => {
    bench = await BuildBench.make();
    tsimg = await TsimgCommand.make(bench);
  });
  afterAll(() => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });

  it('is shown with its place, its command, the end of its output, and where all of it is', async () => {
    const run = `for n in $(seq ${LINES}); do echo line-$n; done; echo to-stderr >&2; exit 7`;
    const context = bench.context('failing', { Dockerfile: `FROM busybox\nENV A=1\nRUN ${run}\nRUN echo never\n` });
    const { status, stderr } = await tsimg.run('', 'build', '-q', '-t', 'localhost/failing', context);
    expect(status).toBe(1);
    expect(stderr).toContain('exit code: 7');
    // The excerpt of the Dockerfile, the failing line marked.
    expect(stderr).toMatch(/2 \|[^\n]*ENV A=1\n[^\n]*3 \|[^\n]*RUN for n in/);
    const shown = [...stderr.matchAll(/line-(\d+)$/gm)].map(([, number]) => Number(number));
    // One of the last lines is the one on standard error.
    expect(shown).toEqual(Array.from({ length: LAST - 1 }, (_, index) => LINES - LAST + 2 + index));
    expect(stderr).toContain('to-stderr');
    const [, log = ''] = /all of its output: (\/\S+)/.exec(stderr) ?? [];
    const all = Array.from({ length: LINES }, (_, index) => `line-${index + 1}\n`).join('');
    expect(readFileSync(log, 'utf8')).toBe(`${all}to-stderr\n`);
    const images = await tsimg.run('', 'images', '-q', 'localhost/failing');
    expect([images.status, images.stdout.toString()]).toEqual([0, '']);
  });

  it('may be killed by a signal, or not be a command at all', async () => {
    const killed = await tsimg.run(
      '',
      'build',
      '-q',
      bench.context('killed', { Dockerfile: 'FROM busybox\nRUN sleep 100 & kill -9 $! && wait $!\n' }),
    );
    expect([killed.status, killed.stderr]).toEqual([1, expect.stringMatching(/exit code: 137|SIGKILL/)]);
    const missing = await tsimg.run('', 'build', '-q', bench.context('none', { Dockerfile: 'FROM busybox\nRUN ["/no/such"]\n' }));
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('/no/such')]);
  });
});
