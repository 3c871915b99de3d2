import { TestRegistry } from '../../registry/test-registry.ts';
import { Transport } from '../../registry/transport.ts';
import { commandRunner } from '../testing.ts';
import { search } from './search.ts';

let registry: TestRegistry;
let transport: Transport;
beforeEach(async () => {
  registry = new TestRegistry();
  await registry.start();
  transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
});
afterEach(async () => {
  await transport.close();
  await registry.stop();
});

const RESULTS = [
  { name: 'busybox', description: 'Busybox base image, with a description that is too long.', star_count: 3300, is_official: true },
  { name: 'other/busybox', description: '', star_count: 2, is_official: false },
];
const run = async (...args: string[]) => await commandRunner('/nonexistent', transport)(search, ...args);

describe('search', () => {
  it('prints docker’s table', async () => {
    registry.misbehaviour = {
      answer: ({ url }) => (url?.startsWith('/v1/search') ? { status: 200, body: JSON.stringify({ results: RESULTS }) } : undefined),
    };
    const { lines } = await run(`${registry.host}/busybox`);
    expect(lines).toEqual([
      'NAME            DESCRIPTION                                     STARS     OFFICIAL',
      'busybox         Busybox base image, with a description that …   3300      [OK]',
      'other/busybox                                                   2         ',
    ]);
    expect(registry.log).toContain('GET /v1/search?q=busybox&n=25');
    const { lines: filtered } = await run('-f', 'is-official=true', '-f', 'stars=10', '--json', `${registry.host}/busybox`);
    expect(JSON.parse(filtered.join('\n'))).toMatchObject([{ name: 'busybox', stars: 3300 }]);
    expect((await run('--limit', '1', `${registry.host}/busybox`)).lines).toHaveLength(2);
  });

  it('says so where a registry has no search', async () => {
    await expect(run(`${registry.host}/busybox`)).rejects.toThrow(`${registry.host} cannot be searched`);
    registry.misbehaviour = { answer: ({ url }) => (url?.startsWith('/v1/') ? { status: 200, body: '<html>' } : undefined) };
    await expect(run(`${registry.host}/busybox`)).rejects.toThrow('cannot be searched');
    await expect(run('--limit', '0', 'x')).rejects.toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
