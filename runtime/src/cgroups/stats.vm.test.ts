import { execFileSync } from 'node:child_process';
import { close } from '../linux/files.ts';
import { POLLIN, poll } from '../linux/poll.ts';
import { createNodeSys } from '../sys/node.ts';
import { applyResources } from './apply.ts';
import type { Cgroup } from './create.ts';
import { OomWatch, oomKillCount } from './oom.ts';
import { planResources } from './resources.ts';
import { readStats } from './stats.ts';
import { statsJson } from './stats-json.ts';
import { CgroupFixture, eventually } from './test/fixture.ts';

const sys = createNodeSys();
const MIB = 1024 * 1024;
const EAT = ['-e', 'const all = []; for (;;) all.push(Buffer.alloc(4 << 20, 1))'];
let fixture: CgroupFixture;
let cgroup: Cgroup;

beforeAll(() => {
  fixture = new CgroupFixture(sys, 'stats');
  fixture.requireControllers('cpu', 'memory', 'pids', 'io', 'hugetlb');
});

beforeEach(() => {
  cgroup = fixture.create('a');
});

afterEach(async () => {
  close(sys, cgroup.fd);
  await fixture.dispose();
});

describe('readStats', () => {
  it('counts what a process uses', async () => {
    applyResources(
      sys,
      cgroup,
      planResources({ memory: { limit: 256 * MIB, swap: 256 * MIB }, pids: { limit: 50 }, cpu: { quota: 50000 } }),
    );
    fixture.start(cgroup, process.execPath, ['-e', 'globalThis.b = Buffer.alloc(16 << 20, 1); for (;;);']);
    await eventually(() => {
      const { cpu, memory } = readStats(sys, cgroup.fd);
      return Number(memory?.current) > 16 * MIB && Number(cpu['nr_throttled']) > 0;
    });
    const stats = readStats(sys, cgroup.fd, ['2MB']);
    expect(stats.pids.limit).toBe(50);
    expect(Number(stats.pids.current)).toBeGreaterThan(0);
    expect(stats.memory?.limit).toBe(256 * MIB);
    expect(stats.swap).toMatchObject({ current: 0, limit: 0 });
    expect(Number(stats.memoryDetails['anon'])).toBeGreaterThan(16 * MIB);
    expect(Number(stats.cpu['usage_usec'])).toBeGreaterThan(0);
    expect(stats.hugetlb).toEqual({ '2MB': { current: 0, limit: undefined, failures: 0 } });
    expect(stats.pressure.cpu?.some).toBeDefined();
    expect(statsJson(stats)).toMatchObject({
      memory: { usage: { limit: 256 * MIB, failcnt: 0 }, swap: { limit: 256 * MIB } },
      pids: { limit: 50 },
      cpu: { throttling: { periods: expect.any(Number) } },
    });
  });

  it('counts what is read from and written to a device', async () => {
    execFileSync('modprobe', ['null_blk', 'gb=1']);
    const { ended } = fixture.start(cgroup, 'dd', ['if=/dev/zero', 'of=/dev/nullb0', 'bs=1M', 'count=2', 'oflag=direct', 'status=none']);
    expect(await ended).toBe(0);
    expect(readStats(sys, cgroup.fd).io).toContainEqual(
      expect.objectContaining({ counters: expect.objectContaining({ wbytes: 2 * MIB, rbytes: 0 }) }),
    );
    expect(statsJson(readStats(sys, cgroup.fd))).toMatchObject({
      blkio: { ioServiceBytesRecursive: expect.arrayContaining([expect.objectContaining({ op: 'Write', value: 2 * MIB })]) },
    });
  });
});

describe('OomWatch', () => {
  it('tells of a kill, and of the end', async () => {
    applyResources(sys, cgroup, planResources({ memory: { limit: 48 * MIB, swap: 48 * MIB } }));
    const watch = OomWatch.open(sys, cgroup.directory);
    if (watch === undefined) throw new Error('no memory controller');
    const survivor = fixture.start(cgroup);
    expect(watch.read()).toEqual({ kills: 0, ended: false });
    expect(await fixture.start(cgroup, process.execPath, EAT).ended).toBe('SIGKILL');
    expect(poll(sys, [{ fd: watch.fd, events: POLLIN }], 5000)).toEqual([POLLIN]);
    expect(watch.read()).toEqual({ kills: 1, ended: false });
    expect(oomKillCount(sys, cgroup.directory)).toBe(1);
    process.kill(survivor.pid);
    await survivor.ended;
    expect(poll(sys, [{ fd: watch.fd, events: POLLIN }], 5000)).toEqual([POLLIN]);
    await eventually(() => watch.read().ended);
    expect(watch.read()).toEqual({ kills: 0, ended: true });
    watch.close();
  });
});
