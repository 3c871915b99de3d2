import type { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import { blkioToIoWeight, sharesToWeight } from './resources/convert.ts';
import { controllerNeeds, mergeResources, planResources } from './resources.ts';

/** The writes as `file=value`, with a question mark after the optional ones. */
function lines(resources: LinuxResources): string[] {
  return planResources(resources).writes.map(
    (write) =>
      `${write.file}${write.optional ? '?' : ''}=${write.value}${write.instead === undefined ? '' : ` else ${write.instead.file}=${write.instead.value}`}`,
  );
}

describe('planResources', () => {
  it.each<[string, LinuxResources, string[]]>([
    ['nothing', {}, []],
    ['memory limit', { memory: { limit: 67108864 } }, ['memory.max=67108864']],
    ['memory without limit', { memory: { limit: -1 } }, ['memory.swap.max?=max', 'memory.max?=max']],
    ['memory 0', { memory: { limit: 0, swap: 0, reservation: 0 } }, []],
    ['swap as a difference', { memory: { limit: 100, swap: 150 } }, ['memory.swap.max=50', 'memory.max=100']],
    ['no swap', { memory: { limit: 100, swap: 100 } }, ['memory.swap.max?=0', 'memory.max=100']],
    ['any swap', { memory: { limit: 100, swap: -1 } }, ['memory.swap.max?=max', 'memory.max=100']],
    ['swap with memory unlimited', { memory: { limit: -1, swap: 150 } }, ['memory.swap.max=150', 'memory.max?=max']],
    ['values beyond 2^53', { memory: { limit: 2n ** 62n, swap: 2n ** 62n + 1n } }, ['memory.swap.max=1', 'memory.max=4611686018427387904']],
    ['reservation', { memory: { reservation: 5 } }, ['memory.low=5']],
    ['reservation of everything', { memory: { reservation: -1 } }, ['memory.low=max']],
    ['shares', { cpu: { shares: 512 } }, ['cpu.weight=59']],
    ['default shares', { cpu: { shares: 1024 } }, ['cpu.weight?=100']],
    ['shares 0', { cpu: { shares: 0 } }, []],
    ['quota', { cpu: { quota: 5000 } }, ['cpu.max=5000']],
    ['quota and period', { cpu: { quota: 5000, period: 20000 } }, ['cpu.max=5000 20000']],
    ['period alone', { cpu: { period: 20000 } }, ['cpu.max?=max 20000']],
    ['no quota', { cpu: { quota: -1 } }, ['cpu.max?=max']],
    ['burst alone', { cpu: { burst: 10 } }, ['cpu.max.burst=10']],
    ['burst and quota', { cpu: { burst: 10, quota: 5000 } }, ['cpu.max.burst=10', 'cpu.max=5000', 'cpu.max.burst=10']],
    ['idle', { cpu: { idle: 1, shares: 512 } }, ['cpu.idle=1']],
    ['not idle', { cpu: { idle: 0, shares: 512 } }, ['cpu.idle?=0', 'cpu.weight=59']],
    ['cpuset', { cpu: { cpus: '0-1', mems: '0' } }, ['cpuset.cpus=0-1', 'cpuset.mems=0']],
    ['pids', { pids: { limit: 20 } }, ['pids.max=20']],
    ['pids 0', { pids: { limit: 0 } }, ['pids.max=1']],
    ['pids -1', { pids: { limit: -1 } }, ['pids.max?=max']],
    ['pids without limit', { pids: {} }, []],
    ['io weight', { blockIO: { weight: 500 } }, ['io.bfq.weight=500 else io.weight=4950']],
    [
      'io weight of a device',
      { blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 10 }] } },
      ['io.bfq.weight=8:0 10 else io.weight=8:0 1'],
    ],
    [
      'throttles',
      {
        blockIO: {
          throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }],
          throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 2 }],
          throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 2n ** 63n }],
          throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
        },
      },
      ['io.max=8:0 rbps=1', 'io.max=8:16 wbps=2', 'io.max=8:0 riops=9223372036854775808', 'io.max=8:0 wiops=max'],
    ],
    ['huge pages', { hugepageLimits: [{ pageSize: '2MB', limit: 4 }] }, ['hugetlb.2MB.max=4', 'hugetlb.2MB.rsvd.max?=4']],
    [
      'rdma',
      { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10 }, mlx4_0: { hcaObjects: 1 }, none: {} } },
      ['rdma.max=mlx5_1 hca_handle=3 hca_object=10', 'rdma.max=mlx4_0 hca_object=1'],
    ],
    [
      'unified',
      { unified: { 'memory.high': '5\n', 'io.max': '8:0 rbps=1\n8:1 wbps=2' } },
      ['memory.high=5', 'io.max=8:0 rbps=1', 'io.max=8:1 wbps=2'],
    ],
    ['unified after the rest', { memory: { limit: 1 }, unified: { 'memory.max': '2' } }, ['memory.max=1', 'memory.max=2']],
  ])('writes %s', (_, resources, expected) => {
    expect(lines(resources)).toEqual(expected);
  });

  it.each<[LinuxResources, string, string]>([
    [{ memory: { swap: 100 } }, 'linux.resources.memory.swap', 'unable to set swap limit without memory limit'],
    [{ memory: { limit: 100, swap: 99 } }, 'linux.resources.memory.swap', 'memory+swap limit (99) should be >= memory limit (100)'],
    [{ memory: { limit: -2 } }, 'linux.resources.memory.limit', '-2 is not a limit'],
    [{ cpu: { realtimeRuntime: 5 } }, 'linux.resources.cpu.realtimeRuntime', 'cgroup v2 has no limits for realtime scheduling'],
    [{ cpu: { realtimePeriod: 5n } }, 'linux.resources.cpu.realtimePeriod', 'cgroup v2 has no limits for realtime scheduling'],
    [{ blockIO: { weight: 9 } }, 'linux.resources.blockIO.weight', 'weight 9 is not between 10 and 1000'],
    [{ unified: { 'a/b.c': '1' } }, 'linux.resources.unified["a/b.c"]', 'must be a file name (no slashes)'],
    [{ unified: { pids: '1' } }, 'linux.resources.unified.pids', 'must be in the form CONTROLLER.PARAMETER'],
    [{ unified: { 'cgroup.kill': '1' } }, 'linux.resources.unified["cgroup.kill"]', 'is not a resource'],
  ])('refuses %j', (resources, configPath, message) => {
    expect(() => planResources(resources)).toThrow(
      expect.objectContaining({ code: 'cgroup-resources', configPath, message: expect.stringContaining(`${configPath}: `) }),
    );
    expect(() => planResources(resources)).toThrow(message);
  });

  it.each<[LinuxResources, string[]]>([
    [
      { memory: { kernel: 1, kernelTCP: 1, swappiness: 0, disableOOMKiller: true, useHierarchy: false } },
      ['memory.swappiness', 'memory.disableOOMKiller', 'memory.useHierarchy'],
    ],
    [{ memory: { disableOOMKiller: false, useHierarchy: true } }, []],
    [{ network: { classID: 1, priorities: [{ name: 'eth0', priority: 1 }] } }, ['network.classID', 'network.priorities']],
    [{ network: { classID: 0, priorities: [] } }, []],
    [
      { blockIO: { leafWeight: 10, weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } },
      ['blockIO.leafWeight', 'blockIO.weightDevice[0].leafWeight'],
    ],
    [{ cpu: { idle: 1, shares: 3 } }, ['cpu.shares']],
  ])('warns of what cgroup v2 ignores in %j', (resources, names) => {
    const { warnings, writes } = planResources(resources);
    expect(warnings.map((warning) => warning.configPath)).toEqual(names.map((name) => `linux.resources.${name}`));
    for (const warning of warnings) expect(warning.message).toContain(`${warning.configPath} is ignored: `);
    expect(writes.every((write) => write.file === 'cpu.idle')).toBe(true);
  });

  it('asks for a memory check only when told to', () => {
    const memory = { limit: 100, swap: 200 };
    expect(planResources({ memory }).memoryCheck).toBeUndefined();
    expect(planResources({ memory: { ...memory, checkBeforeUpdate: true } }).memoryCheck).toEqual({ limitBytes: 100n, swapBytes: 200n });
    expect(planResources({ memory: { limit: -1, checkBeforeUpdate: true } }).memoryCheck).toEqual({});
  });
});

describe('controllerNeeds', () => {
  it('names each controller once, and none for what is only lifted', () => {
    const { writes } = planResources({
      memory: { limit: 100, reservation: 5 },
      pids: { limit: -1 },
      cpu: { shares: 1024 },
      unified: { 'cgroup.max.depth': '5', 'io.pressure': 'some 1 2', 'misc.max': 'x 1' },
    });
    expect(controllerNeeds(writes)).toEqual([
      { controller: 'memory', configPath: 'linux.resources.memory.limit' },
      { controller: 'misc', configPath: 'linux.resources.unified["misc.max"]' },
    ]);
  });
});

describe('sharesToWeight', () => {
  it.each([
    [0, undefined],
    [0n, undefined],
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [256, 35],
    [512, 59],
    [1000, 99],
    [1024, 100],
    [1025, 101],
    [2048, 174],
    [100000, 4340],
    [262143, 10000],
    [262144, 10000],
    [262145, 10000],
    [2n ** 64n - 1n, 10000],
  ])('maps %s to %s', (shares, weight) => {
    expect(sharesToWeight(shares)).toBe(weight);
  });
});

describe('blkioToIoWeight', () => {
  it.each([
    [10, 1],
    [11, 11],
    [100, 910],
    [500, 4950],
    [1000, 10000],
  ])('maps %d to %d', (weight, ioWeight) => {
    expect(blkioToIoWeight(weight)).toBe(ioWeight);
  });
});

describe('mergeResources', () => {
  it('replaces single properties and whole lists', () => {
    const base: LinuxResources = {
      memory: { limit: 1, swap: 2 },
      pids: { limit: 5 },
      unified: { a: '1', b: '2' },
      hugepageLimits: [{ pageSize: '2MB', limit: 1 }],
    };
    const update: LinuxResources = { memory: { swap: 3 }, unified: { b: '3' }, hugepageLimits: [] };
    expect(mergeResources(base, update)).toEqual({
      memory: { limit: 1, swap: 3 },
      pids: { limit: 5 },
      unified: { a: '1', b: '3' },
      hugepageLimits: [],
    });
    expect(base.memory).toEqual({ limit: 1, swap: 2 });
  });
});
