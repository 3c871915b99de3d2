import type { LinuxResources } from '../../../../specs/runtime/linux/resources.ts';
import { findErrors, findWarnings } from '../test/findings.ts';

describe('resourceErrors and cgroupErrors', () => {
  it.each<[LinuxResources, string[]]>([
    [
      {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: -1, minor: 3, access: 'r' },
        ],
      },
      [],
    ],
    [
      { devices: [{ allow: true, access: 'r', major: -2, minor: 4294967296 }] },
      ['device-cgroup-numbers devices[0].major', 'device-cgroup-numbers devices[0].minor'],
    ],
    [{ devices: [{ allow: false }] }, ['device-cgroup-access devices[0].access']],
    [{ devices: [{ allow: true, access: 'rx' }] }, ['type devices[0].access']],
    [{ devices: [{ allow: true, type: 'p' as 'c', access: 'r' }] }, ['type devices[0].type']],
    [{ memory: { limit: -1, swap: -1, reservation: 9223372036854775807n } }, []],
    [{ memory: { limit: -2, reservation: -3 } }, ['memory-limit memory.limit', 'memory-limit memory.reservation']],
    [{ memory: { limit: 100, swap: 100 } }, []],
    [{ memory: { limit: 100, swap: 99 } }, ['memory-swap-order memory.swap']],
    [{ memory: { swap: 100 } }, ['memory-swap-without-limit memory.swap']],
    [{ memory: { limit: -1, swap: 100 } }, ['memory-swap-without-limit memory.swap']],
    [{ memory: { swappiness: 101 } }, ['type memory.swappiness']],
    [{ cpu: { quota: 100, burst: 100, cpus: '0-3,7', mems: '0', idle: 1 } }, []],
    [{ cpu: { quota: -1, burst: 100 } }, []],
    [{ cpu: { quota: 100, burst: 18446744073709551615n } }, ['cpu-burst cpu.burst']],
    [{ cpu: { cpus: '0-', mems: 'x' } }, ['cpuset-list cpu.cpus', 'cpuset-list cpu.mems']],
    [{ cpu: { idle: 2 } }, ['type cpu.idle']],
    [{ pids: { limit: 0 } }, []],
    [
      {
        blockIO: {
          weightDevice: [
            { major: 8, minor: 0, weight: 1 },
            { major: 8, minor: 1, leafWeight: 1 },
          ],
        },
      },
      [],
    ],
    [{ blockIO: { weightDevice: [{ major: 8, minor: 0 }] } }, ['block-io-weight blockIO.weightDevice[0]']],
    [{ hugepageLimits: [{ pageSize: '2MB', limit: 18446744073709551615n }] }, []],
    [{ hugepageLimits: [{ pageSize: '2MiB', limit: 1 }] }, ['type hugepageLimits[0].pageSize']],
    [{ rdma: { mlx5_1: { hcaHandles: 3 } } }, []],
    [{ rdma: { mlx5_1: {} } }, ['rdma-limits rdma.mlx5_1']],
    [{ unified: { 'io.max': '259:0 rbps=1\n253:0 rbps=1' } }, []],
    ...['', '.', '..', '../memory.max', 'a/b'].map<[LinuxResources, string[]]>((file) => [
      { unified: { [file]: '1' } },
      [`unified-file unified[${JSON.stringify(file)}]`],
    ]),
  ])('%p', (resources, expected) => {
    // The rules for whole configurations come before those for limits alone; no case has both.
    expect(findErrors({ linux: { resources } })).toEqual(expected.map((found) => found.replace(' ', ' linux.resources.')));
  });

  it('warns about kernel memory', () => {
    const found = findWarnings({ linux: { resources: { memory: { kernel: -1, kernelTCP: 1 } } } });
    expect(found).toEqual(['deprecated linux.resources.memory.kernel', 'deprecated linux.resources.memory.kernelTCP']);
  });
});

describe('cgroups-path', () => {
  it.each([
    ['/a/b', []],
    ['a/b', []],
    ['system.slice:docker:0123', []],
    ['/a..b/c', []],
    ['/a/../../b', ['cgroups-path linux.cgroupsPath']],
    ['..', ['cgroups-path linux.cgroupsPath']],
  ])('%s', (cgroupsPath, expected) => {
    expect(findErrors({ linux: { cgroupsPath } })).toEqual(expected);
  });
});
