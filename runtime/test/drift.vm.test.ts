/** `plan --diff` where limits can be set. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Cli } from './cli.ts';

// A guest kernel is slow.
jest.setTimeout(120_000);

const ROOT = '/sys/fs/cgroup';
let cli: Cli;

beforeAll(() => {
  if (!existsSync(`${ROOT}/cgroup.controllers`)) throw new Error('needs cgroup v2 with all controllers: to be run in the guest kernel');
});
beforeEach(() => {
  cli = new Cli('tsrun');
  mkdirSync(cli.root, { mode: 0o700 });
});
afterEach(() => cli.dispose());

describe('plan --diff', () => {
  it('finds limits that somebody else than update has changed', () => {
    const id = cli.start((config) => {
      if (config.linux === undefined) return;
      config.linux.resources = {
        pids: { limit: 50 },
        memory: { limit: 67_108_865, swap: 67_108_865 },
        cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0' },
      };
    });
    const diff = () => JSON.parse(cli.look(['plan', '--diff', id, '--format', 'json']).stdout);
    expect(diff()).toEqual([]);
    cli.ok(['update', '--pids-limit', '60', id]);
    expect(diff()).toEqual([]);
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${cli.state(id).pid}/cgroup`, 'utf8'))?.[1];
    writeFileSync(`${ROOT}${path}/pids.max`, '70');
    writeFileSync(`${ROOT}${path}/cpu.max`, 'max');
    expect(diff()).toEqual([
      { aspect: 'cgroup', configPath: 'linux.resources.pids.limit', object: 'pids.max', expected: '60', actual: '70' },
      { aspect: 'cgroup', configPath: 'linux.resources.cpu.quota', object: 'cpu.max', expected: '50000 100000', actual: 'max 100000' },
    ]);
  });
});
