/** Limits that count things: tasks, huge pages, RDMA handles. */
import { formatPath } from '../../../../specs/json/json-path.ts';
import type { LinuxResources } from '../../../../specs/runtime/linux/resources.ts';
import { limitText, type ResourceWrite } from './write.ts';

/**
 * pids.max. Negative is no limit. 0 is a limit, written as 1: no process could be put into a cgroup of 0, and with the container's own one
 * in it no fork succeeds either way (systemd's TasksMax does not know 0).
 */
export function pidsWrites(pids: LinuxResources['pids']): ResourceWrite[] {
  if (pids?.limit === undefined) return [];
  const write = { controller: 'pids', file: 'pids.max', configPath: 'linux.resources.pids.limit' };
  if (pids.limit < 0) return [{ ...write, value: 'max', optional: true }];
  return [{ ...write, value: BigInt(pids.limit) === 0n ? '1' : String(pids.limit) }];
}

/** hugetlb.SIZE.max for pages in use, and hugetlb.SIZE.rsvd.max, which already counts when pages are reserved (Linux 5.7). */
export function hugepageWrites(limits: LinuxResources['hugepageLimits']): ResourceWrite[] {
  return (limits ?? []).flatMap(({ pageSize, limit }, index): ResourceWrite[] => {
    const write = { controller: 'hugetlb', value: String(limit), configPath: `linux.resources.hugepageLimits[${index}].limit` };
    return [
      { ...write, file: `hugetlb.${pageSize}.max` },
      { ...write, file: `hugetlb.${pageSize}.rsvd.max`, optional: true },
    ];
  });
}

/** rdma.max, a line for each device. */
export function rdmaWrites(rdma: LinuxResources['rdma']): ResourceWrite[] {
  return Object.entries(rdma ?? {}).flatMap(([device, { hcaHandles, hcaObjects }]): ResourceWrite[] => {
    const configPath = formatPath(['linux', 'resources', 'rdma', device]);
    const words = [device];
    if (hcaHandles !== undefined) words.push(`hca_handle=${limitText(hcaHandles, configPath)}`);
    if (hcaObjects !== undefined) words.push(`hca_object=${limitText(hcaObjects, configPath)}`);
    return words.length === 1 ? [] : [{ controller: 'rdma', file: 'rdma.max', value: words.join(' '), configPath }];
  });
}
