import { MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY } from '../../linux/mount-flags.ts';
import type { Step } from '../../plan/steps.ts';
import { agree } from './cgroup.ts';
import { expectedMounts, wrongAttributes } from './expected-mounts.ts';
import { parseMountinfo } from './mountinfo.ts';

describe('agree', () => {
  it.each([
    ['pids.max', '100', '100', true],
    ['pids.max', '100', '99', false],
    ['pids.max', '100', 'max', false],
    // In whole pages.
    ['memory.max', '100000001', '99999744', true],
    ['memory.max', '100000001', '99000000', false],
    ['hugetlb.2MB.max', '3000000', '2097152', true],
    ['cpu.max', '50000', '50000 100000', true],
    ['cpu.max', 'max 50000', 'max 50000', true],
    ['cpu.max', '50000 100000', '60000 100000', false],
    ['cpuset.cpus', '0,1,2', '0-2', true],
    ['cpuset.cpus', '0', '', false],
    ['io.max', '8:0 rbps=1000', '8:16 rbps=max wbps=max riops=max wiops=max\n8:0 rbps=1000 wbps=max riops=max wiops=max', true],
    ['io.max', '8:0 rbps=1000', '8:0 rbps=2000 wbps=max riops=max wiops=max', false],
    ['io.max', '8:0 rbps=max', '', true],
    ['io.weight', '200', 'default 200', true],
    ['io.weight', '8:0 300', 'default 100\n8:0 300', true],
    ['rdma.max', 'mlx4_0 hca_handle=2', 'mlx4_0 hca_handle=3 hca_object=max', false],
  ])('%s: %s and %j: %s', (file, expected, actual, result) => {
    expect(agree(file, expected, actual)).toBe(result);
  });
});

describe('parseMountinfo', () => {
  it('reads ids, places, options and what lies before and behind the optional fields', () => {
    const text =
      '36 35 98:0 /mnt1 /a\\040b rw,noatime master:1 shared:2 - ext3 /dev/r\\134oot rw,errors=continue\n40 36 0:5 / /proc ro - proc proc rw\n';
    expect(parseMountinfo(text)).toEqual([
      { id: 36, mountPoint: '/a b', options: ['rw', 'noatime'], type: 'ext3', source: '/dev/r\\oot' },
      { id: 40, mountPoint: '/proc', options: ['ro'], type: 'proc', source: 'proc' },
    ]);
  });
});

describe('expectedMounts', () => {
  const mount = (destination: string, set: number, clear = 0): Step => ({
    kind: 'mount',
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    attributes: { set, clear },
    recursiveAttributes: undefined,
    superFlags: 0,
    data: [],
    propagations: [],
    copyUp: false,
  });
  const places = (...steps: Step[]) => expectedMounts(steps).map(({ destination, set }) => [destination, set]);

  it('has the root, and the last of two mounts at one place', () => {
    expect(places(mount('/a', 0), mount('/b', 0), mount('/a', MOUNT_ATTR_NOSUID))).toEqual([
      ['/', 0],
      ['/b', 0],
      ['/a', MOUNT_ATTR_NOSUID],
    ]);
  });

  it('follows what later steps change', () => {
    expect(places({ kind: 'readonly-root' }, { kind: 'mask', path: '/proc/kcore' }, { kind: 'readonly', path: '/proc/sys' })).toEqual([
      ['/', MOUNT_ATTR_RDONLY],
      ['/proc/kcore', 0],
      ['/proc/sys', MOUNT_ATTR_RDONLY],
    ]);
  });

  it('expects a file system that nobody wants read-only to be writable', () => {
    expect(expectedMounts([mount('/a', 0)])[1]?.clear).toBe(MOUNT_ATTR_RDONLY);
    expect(expectedMounts([mount('/a', MOUNT_ATTR_RDONLY)])[1]?.clear).toBe(0);
  });
});

describe('wrongAttributes', () => {
  it('names what is missing, and what should be', () => {
    const wanted = { set: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, clear: MOUNT_ATTR_RDONLY };
    expect(wrongAttributes(wanted, ['rw', 'nosuid', 'noexec', 'nodev'])).toEqual({ expected: [], actual: [] });
    expect(wrongAttributes(wanted, ['ro', 'nosuid'])).toEqual({ expected: ['rw', 'noexec'], actual: ['ro', 'exec'] });
  });
});
