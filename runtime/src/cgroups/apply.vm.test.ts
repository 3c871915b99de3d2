import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import { close } from '../linux/files.ts';
import { createNodeSys } from '../sys/node.ts';
import { applyResources, updateResources } from './apply.ts';
import { type Cgroup, createCgroup } from './create.ts';
import { availableControllers } from './hierarchy.ts';
import { processes } from './processes.ts';
import { controllerNeeds, planResources } from './resources.ts';
import { CgroupFixture, eventually } from './test/fixture.ts';

const sys = createNodeSys();
const MIB = 1024 * 1024;
let fixture: CgroupFixture;
const opened: Cgroup[] = [];

function limited(path: string, resources: LinuxResources): Cgroup {
  const plan = planResources(resources);
  const cgroup = fixture.create(path, { needs: controllerNeeds(plan.writes) });
  opened.push(cgroup);
  applyResources(sys, cgroup, plan);
  return cgroup;
}

function values(cgroup: Cgroup, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file, fixture.read(cgroup, file)]));
}

beforeAll(() => {
  fixture = new CgroupFixture(sys, 'limits');
  fixture.requireControllers('cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb');
});

afterEach(async () => {
  for (const cgroup of opened.splice(0)) close(sys, cgroup.fd);
  await fixture.dispose();
});

describe('applyResources', () => {
  it.each<[string, LinuxResources, Record<string, string>]>([
    [
      'memory',
      { memory: { limit: 64 * MIB, reservation: 32 * MIB, swap: 96 * MIB } },
      { 'memory.max': `${64 * MIB}`, 'memory.low': `${32 * MIB}`, 'memory.swap.max': `${32 * MIB}` },
    ],
    ['memory without swap', { memory: { limit: 64 * MIB, swap: 64 * MIB } }, { 'memory.max': `${64 * MIB}`, 'memory.swap.max': '0' }],
    [
      'no limits',
      { memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } },
      { 'memory.max': 'max', 'pids.max': 'max', 'cpu.max': 'max 100000' },
    ],
    [
      'cpu',
      { cpu: { shares: 512, quota: 50000, period: 200000, burst: 10000 } },
      { 'cpu.weight': '59', 'cpu.max': '50000 200000', 'cpu.max.burst': '10000' },
    ],
    ['quota alone', { cpu: { quota: 50000 } }, { 'cpu.max': '50000 100000' }],
    ['idle', { cpu: { idle: 1, shares: 512 } }, { 'cpu.idle': '1' }],
    ['cpuset', { cpu: { cpus: '0', mems: '0' } }, { 'cpuset.cpus': '0', 'cpuset.mems': '0', 'cpuset.cpus.effective': '0' }],
    ['pids', { pids: { limit: 20 } }, { 'pids.max': '20' }],
    ['pids 0', { pids: { limit: 0 } }, { 'pids.max': '1' }],
    [
      'huge pages',
      { hugepageLimits: [{ pageSize: '2MB', limit: 4 * MIB }] },
      { 'hugetlb.2MB.max': `${4 * MIB}`, 'hugetlb.2MB.rsvd.max': `${4 * MIB}` },
    ],
    ['unified', { unified: { 'memory.high': `${5 * MIB}`, 'pids.max': '9' } }, { 'memory.high': `${5 * MIB}`, 'pids.max': '9' }],
  ])('sets %s', (_, resources, expected) => {
    expect(values(limited('x/a', resources), Object.keys(expected))).toEqual(expected);
  });

  it('refuses forks beyond pids.max', async () => {
    const cgroup = limited('a', { pids: { limit: 1 } });
    const { ended } = fixture.start(cgroup, 'sh', ['-c', 'sleep 0 & wait; exit 0']);
    expect(await ended).not.toBe(0);
  });

  it('names the page sizes that there are when one is not', () => {
    expect(() => limited('a', { hugepageLimits: [{ pageSize: '3MB', limit: 1 }] })).toThrow(
      expect.objectContaining({ code: 'cgroup-file-missing', configPath: 'linux.resources.hugepageLimits[0].limit' }),
    );
  });

  it.each<[LinuxResources, string]>([
    [{ cpu: { cpus: 'nine' } }, 'linux.resources.cpu.cpus: cannot write "nine" to /sys/fs/cgroup/'],
    [{ cpu: { quota: 5000, period: 1 } }, 'cpu.max: invalid argument'],
    [{ cpu: { quota: 5000, burst: 6000 } }, 'linux.resources.cpu.quota: cannot write "5000"'],
    [
      { blockIO: { throttleReadBpsDevice: [{ major: 511, minor: 3, rate: 5 }] } },
      'linux.resources.blockIO.throttleReadBpsDevice[0].rate: ',
    ],
  ])('names the refused value of %j', (resources, message) => {
    expect(() => limited('a', resources)).toThrow(message);
  });
});

describe('io limits', () => {
  let numbers: { major: number; minor: number };

  beforeAll(() => {
    execFileSync('modprobe', ['null_blk', 'gb=1']);
    const [major = 0, minor = 0] = readFileSync('/sys/block/nullb0/dev', 'utf8').split(':').map(Number);
    numbers = { major, minor };
  });

  it('weigh with the BFQ scheduler where it is, else with io.weight', () => {
    const resources = { blockIO: { weight: 500, weightDevice: [{ ...numbers, weight: 300 }] } };
    execFileSync('modprobe', ['bfq']);
    writeFileSync('/sys/block/nullb0/queue/scheduler', 'bfq');
    expect(fixture.read(limited('b', resources), 'io.bfq.weight').split('\n')).toEqual([
      'default 500',
      `${numbers.major}:${numbers.minor} 300`,
    ]);
    const cgroup = limited('a', {});
    updateResources(sys, cgroup, planResources(resources));
    const failing = planResources({ blockIO: { weight: 100, weightDevice: [{ ...numbers, weight: 20 }] }, unified: { 'pids.max': 'few' } });
    expect(() => updateResources(sys, cgroup, failing)).toThrow('pids.max: invalid argument');
    expect(fixture.read(cgroup, 'io.bfq.weight').split('\n')).toEqual(['default 500', `${numbers.major}:${numbers.minor} 300`]);
    writeFileSync('/sys/block/nullb0/queue/scheduler', 'none');
  });

  it('throttle a device in each direction', () => {
    const cgroup = limited('a', {
      blockIO: {
        throttleReadBpsDevice: [{ ...numbers, rate: 1048576 }],
        throttleWriteBpsDevice: [{ ...numbers, rate: 2097152 }],
        throttleReadIOPSDevice: [{ ...numbers, rate: 30 }],
        throttleWriteIOPSDevice: [{ ...numbers, rate: 0 }],
      },
    });
    expect(fixture.read(cgroup, 'io.max')).toBe(`${numbers.major}:${numbers.minor} rbps=1048576 wbps=2097152 riops=30 wiops=max`);
  });

  it('come back when an update fails', () => {
    const cgroup = limited('a', { blockIO: { throttleReadBpsDevice: [{ ...numbers, rate: 1000 }] } });
    const update = planResources({
      blockIO: { throttleReadBpsDevice: [{ ...numbers, rate: 2000 }], throttleWriteBpsDevice: [{ major: 511, minor: 3, rate: 1 }] },
    });
    expect(() => updateResources(sys, cgroup, update)).toThrow('throttleWriteBpsDevice[0].rate');
    expect(fixture.read(cgroup, 'io.max')).toBe(`${numbers.major}:${numbers.minor} rbps=1000 wbps=max riops=max wiops=max`);
  });
});

describe('updateResources', () => {
  it('changes everything or nothing', () => {
    const cgroup = limited('x/a', {
      memory: { limit: 64 * MIB, swap: 64 * MIB },
      pids: { limit: 20 },
      cpu: { quota: 50000, burst: 20000, shares: 512 },
    });
    const files = ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max', 'cpu.max.burst', 'cpu.weight', 'cpuset.cpus'];
    const before = values(cgroup, files);
    const good = {
      memory: { limit: 32 * MIB, swap: 48 * MIB },
      pids: { limit: 10 },
      cpu: { quota: 10000, burst: 5000, period: 50000, shares: 2, cpus: '0' },
    };
    const bad = planResources({ ...good, unified: { 'memory.high': 'low' } });
    expect(() => updateResources(sys, cgroup, bad)).toThrow('linux.resources.unified["memory.high"]: cannot write "low"');
    expect(values(cgroup, files)).toEqual(before);
    updateResources(sys, cgroup, planResources(good));
    expect(values(cgroup, files)).toEqual({
      'memory.max': `${32 * MIB}`,
      'memory.swap.max': `${16 * MIB}`,
      'pids.max': '10',
      'cpu.max': '10000 50000',
      'cpu.max.burst': '5000',
      'cpu.weight': '1',
      'cpuset.cpus': '0',
    });
  });

  it('goes from idle to a weight and back', () => {
    const cgroup = limited('a', { cpu: { shares: 512 } });
    updateResources(sys, cgroup, planResources({ cpu: { shares: 512, idle: 1 } }));
    expect(fixture.read(cgroup, 'cpu.idle')).toBe('1');
    updateResources(sys, cgroup, planResources({ cpu: { shares: 512, idle: 0 } }));
    expect(values(cgroup, ['cpu.idle', 'cpu.weight'])).toEqual({ 'cpu.idle': '0', 'cpu.weight': '59' });
  });

  it('enables a controller that the container did not need before', () => {
    const cgroup = fixture.create('x/a', { wanted: [] });
    opened.push(cgroup);
    updateResources(sys, cgroup, planResources({ pids: { limit: 5 } }));
    expect(fixture.read(cgroup, 'pids.max')).toBe('5');
  });

  it('rejects a limit below the usage if asked to, and changes nothing', async () => {
    const cgroup = limited('a', { memory: { limit: 64 * MIB } });
    fixture.start(cgroup, process.execPath, ['-e', 'global.b = Buffer.alloc(16 << 20, 1); setInterval(() => {}, 1000)']);
    await eventually(() => Number(fixture.read(cgroup, 'memory.current')) > 16 * MIB);
    const update = planResources({ memory: { limit: 4 * MIB, checkBeforeUpdate: true } });
    expect(() => updateResources(sys, cgroup, update)).toThrow(
      /^linux\.resources\.memory\.limit: rejecting memory limit 4194304 <= usage \d+$/,
    );
    expect(fixture.read(cgroup, 'memory.max')).toBe(`${64 * MIB}`);
  });
});

describe('createCgroup', () => {
  it('enables only what is needed and wanted', () => {
    const cgroup = fixture.create('x/a', {
      needs: [{ controller: 'pids', configPath: 'linux.resources.pids.limit' }],
      wanted: ['memory', 'imaginary'],
    });
    opened.push(cgroup);
    expect(availableControllers(sys, cgroup.directory).toSorted()).toEqual(['memory', 'pids']);
  });

  it('enables everything for accounting if not told otherwise', () => {
    const cgroup = fixture.create('x/a');
    opened.push(cgroup);
    expect(availableControllers(sys, cgroup.directory)).toEqual(availableControllers(sys, fixture.hierarchy.mountPoint));
  });

  it('says which ancestor holds processes and so cannot pass a controller on', () => {
    const parent = fixture.create('x', { wanted: [] });
    opened.push(parent);
    const { pid } = fixture.start(parent);
    const needs = [{ controller: 'memory', configPath: 'linux.resources.memory.limit' }];
    expect(() => createCgroup(sys, fixture.hierarchy, `${fixture.base}/x/a`, { needs })).toThrow(
      expect.objectContaining({
        code: 'cgroup-controller-refused',
        message: expect.stringContaining(
          `${parent.directory}/cgroup.subtree_control: device or resource busy; that cgroup holds processes of its own`,
        ),
      }),
    );
    expect(processes(sys, parent.directory, { recursive: true })).toEqual([pid]);
  });

  it('refuses domain controllers in a threaded subtree', () => {
    const parent = fixture.create('x/t', { wanted: [] });
    opened.push(parent);
    writeFileSync(`${parent.directory}/cgroup.type`, 'threaded');
    const needs = [{ controller: 'memory', configPath: 'linux.resources.memory.limit' }];
    expect(() => createCgroup(sys, fixture.hierarchy, `${fixture.base}/x/t/a`, { needs })).toThrow(
      expect.objectContaining({ configPath: 'linux.resources.memory.limit' }),
    );
  });
});
