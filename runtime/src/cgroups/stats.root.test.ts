import { close } from '../linux/files.ts';
import { createNodeSys } from '../sys/node.ts';
import { OomWatch, oomKillCount } from './oom.ts';
import { readStats } from './stats.ts';
import { statsJson } from './stats-json.ts';
import { CgroupFixture } from './test/fixture.ts';

const sys = createNodeSys();

describe('readStats', () => {
  it('has processes, processor time and pressure where there are no controllers', async () => {
    const fixture = new CgroupFixture(sys, 'stats');
    const cgroup = fixture.create('a', { wanted: [] });
    fixture.start(cgroup);
    const stats = readStats(sys, cgroup.fd, ['2MB']);
    expect(stats).toMatchObject({ pids: { current: 1 }, memory: undefined, swap: undefined, io: [], hugetlb: {} });
    expect(Object.keys(stats.cpu)).toContain('usage_usec');
    expect(statsJson(stats)).toMatchObject({ pids: { current: 1 }, hugetlb: {}, network_interfaces: null });
    expect(OomWatch.open(sys, cgroup.directory)).toBeUndefined();
    expect(oomKillCount(sys, cgroup.directory)).toBeUndefined();
    close(sys, cgroup.fd);
    await fixture.dispose();
  });
});
