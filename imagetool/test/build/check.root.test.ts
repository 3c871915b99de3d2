/** Mistakes in Dockerfiles: what `--check` finds, and what a build says of them. */

import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { images } from '../../src/cli/commands/images.ts';
import { push } from '../../src/cli/commands/push.ts';
import { TestRegistry } from '../../src/registry/test-registry.ts';
import { Transport } from '../../src/registry/transport.ts';
import { BuildBench } from './testing.ts';

/** Each makes several images: many seconds on a machine that has other work. */
jest.setTimeout(180_000);

describeWith([rootUser, command('busybox')], 'checks', () => {
  const registry = new TestRegistry();
  const transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
  let bench: BuildBench;
  beforeAll(async () => {
    await registry.start();
    bench = await BuildBench.make(transport);
  });
  afterAll(async () => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
    await transport.close();
    await registry.stop();
  });
  const context = (name: string, dockerfile: string): string => bench.context(name, { Dockerfile: dockerfile });

  it('nothing found is 0, something is 1, with its place and its rule; nothing is built', async () => {
    const good = await bench.build('--check', context('good', 'FROM busybox\nRUN exit 1\nCMD ["a"]\n'));
    expect([good.status, good.lines, good.notes.at(-1)]).toEqual([0, [], 'Check complete, no warnings found.']);
    const bad = await bench.build('--check', '-t', 'localhost/never', context('bad', 'FROM busybox\nMAINTAINER me\nCMD a\n'));
    expect(bad.status).toBe(1);
    const text = bad.lines.join('\n');
    expect(text).toMatch(/Dockerfile:2:1: .*\(MaintainerDeprecated\)\n(?:.*\n)*.*MAINTAINER me/);
    expect(text).toMatch(/Dockerfile:3:5: .*\(JSONArgsRecommended\)/);
    expect((await bench.run(images)).lines.join('\n')).not.toContain('never');
    await expect(bench.build('--check', context('ugly', 'FROM busybox\nRUM x\n'))).rejects.toThrow(/Dockerfile:2:1: .*RUM/);
  });

  it('knows the variables of base images, in the store or not', async () => {
    const base = `${registry.host}/base:1`;
    await bench.build('-q', '-t', base, context('base', 'FROM busybox\nENV KNOWN=/x\n'));
    await bench.run(push, base);
    using other = await BuildBench.make(transport);
    const file = context('variables', `FROM ${base}\nCOPY $KNOWN/ $UNKNOWN /y/\n`);
    for (const one of [bench, other]) {
      const { lines } = await one.build('--check', file);
      expect(lines).toEqual([expect.stringMatching(/\$UNKNOWN is not defined here; did you mean \$KNOWN\? \(UndefinedVar\)/)]);
    }
    expect((await other.run(images)).lines.join('\n')).not.toContain('base');
  });

  it('goes on where a base cannot be looked up, and says so', async () => {
    const { status, notes, lines } = await bench.build('--check', context('nowhere', `FROM ${registry.host}/none:1\nCMD a\n`));
    expect([status, notes.join('\n')]).toEqual([1, expect.stringContaining('none:1 cannot be looked up')]);
    expect(lines.join('\n')).toContain('JSONArgsRecommended');
  });

  it('# check=error=true makes a build fail before anything is run', async () => {
    const file = context('error', '# check=error=true\nFROM busybox\nRUN exit 7\nCMD a\n');
    await expect(bench.build(file)).rejects.toThrow(/Dockerfile:4:5: .*\(JSONArgsRecommended\)/);
    const argument = ['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=error=true'];
    await expect(bench.build(...argument, context('plain', 'FROM busybox\nCMD a\n'))).rejects.toThrow('JSONArgsRecommended');
  });

  it('# check=skip=RULE leaves one out', async () => {
    const dockerfile = '# check=skip=JSONArgsRecommended;error=true\nFROM busybox\nCMD a\n';
    expect((await bench.build('--check', context('skipped', dockerfile))).status).toBe(0);
    expect((await bench.build('-q', context('skipped', dockerfile))).status).toBe(0);
  });

  it('a build that succeeds tells of them', async () => {
    const { notes } = await bench.build(context('told', 'FROM busybox\nCMD a\n'));
    expect(notes.join('\n')).toMatch(/1 warning found .*\n - JSONArgsRecommended: .* \(Dockerfile:2\)/);
  });
});
