/** Results of steps that travel through a registry, as a cache of their own or inside an image. */

import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { push } from '../../src/cli/commands/push.ts';
import { TestRegistry } from '../../src/registry/test-registry.ts';
import { Transport } from '../../src/registry/transport.ts';
import { BuildBench } from './testing.ts';

const DOCKERFILE = `FROM busybox AS tool
RUN echo tool > /tool
FROM busybox
COPY --from=tool /tool /tool
RUN cat /tool > /copy
`;

/** Each makes several images: many seconds on a machine that has other work. */
jest.setTimeout(180_000);

describeWith([rootUser, command('busybox')], 'caches in registries', () => {
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
  const context = (name: string, dockerfile = DOCKERFILE): string => bench.context(name, { Dockerfile: dockerfile });

  it('carry all stages', async () => {
    const reference = `${registry.host}/cache:all`;
    const { lines } = await bench.build('-q', '--cache-to', `type=registry,ref=${reference}`, context('all'));
    using other = await BuildBench.make(transport);
    const { cached, made } = await other.steps('--cache-from', `type=registry,ref=${reference}`, context('all'));
    expect([made, cached.length]).toEqual([[], 3]);
    expect((await other.build('-q', context('all'))).lines).toEqual(lines);
  });

  it('mode=min carries those of the target', async () => {
    const reference = `${registry.host}/cache:min`;
    await bench.build('-q', '--cache-to', `type=registry,ref=${reference},mode=min`, context('min'));
    using other = await BuildBench.make(transport);
    expect(await other.steps('--cache-from', reference, context('min'))).toEqual({
      made: ['RUN echo tool > /tool'],
      cached: ['COPY --from=tool /tool /tool', 'RUN cat /tool > /copy'],
    });
  });

  it('an image carries its own steps', async () => {
    const name = `${registry.host}/app:1`;
    const dockerfile = 'FROM busybox\nRUN echo inline > /x\nCMD ["cat", "/x"]\n';
    await bench.build('-q', '--cache-to', 'type=inline', '-t', name, context('inline', dockerfile));
    await bench.run(push, name);
    using other = await BuildBench.make(transport);
    const { cached, made } = await other.steps('--cache-from', name, '-t', 'localhost/again', context('inline', dockerfile));
    expect({ cached, made }).toEqual({ cached: ['RUN echo inline > /x'], made: [] });
    expect(await other.output('localhost/again')).toBe('inline\n');
  });

  it('what is not there is told of, and nothing more', async () => {
    const { status, notes } = await bench.build('--cache-from', `${registry.host}/none:1`, context('none'));
    expect([status, notes.join('\n')]).toEqual([0, expect.stringContaining('--cache-from 127.0.0.1')]);
  });

  it('a damaged layer is made anew', async () => {
    const reference = `${registry.host}/cache:damaged`;
    const dockerfile = 'FROM busybox\nRUN echo damaged > /x\n';
    await bench.build('-q', '--cache-to', `type=registry,ref=${reference}`, context('damaged', dockerfile));
    registry.misbehaviour = { corrupt: true };
    using other = await BuildBench.make(transport);
    try {
      // Blobs are damaged, and with them the list of results.
      await other.build('-q', '-t', 'localhost/x', '--cache-from', reference, context('damaged', dockerfile));
    } finally {
      registry.misbehaviour = {};
    }
    expect(await other.text('localhost/x', 'x')).toBe('damaged\n');
  });

  it('kinds that there are not are refused', async () => {
    await expect(bench.build('--cache-to', 'type=gha', context('kinds'))).rejects.toThrow('type can be local, registry or inline');
    await expect(bench.build('--cache-from', 'type=s3,ref=x', context('kinds'))).rejects.toThrow('type can be local or registry');
    await expect(bench.build('--cache-to', 'type=local', context('kinds'))).rejects.toThrow('needs dest=');
  });
});
