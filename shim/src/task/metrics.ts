/** A container's use of resources as containerd's, docker's and kubelet's clients read it (io.containerd.cgroups.v2.Metrics). */
import {
  type CgroupStats,
  type Counters,
  hugePageSizes,
  type Integer,
  type Pressure,
  readStats,
} from '../../../runtime/src/cgroups/stats.ts';
import { ENODEV, ENOENT, isErrno } from '../../../runtime/src/linux/errno.ts';
import { close, listDirectory, openDirectory } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { anyOf } from '../../../specs/containerd/any.ts';
import { type google, io } from '../../../specs/containerd/gen/containerd.js';
import { field64, UINT64_MAX } from '../../../specs/containerd/uint64.ts';
import { notFound, statusOf } from './errors.ts';

const { v2 } = io.containerd.cgroups;
const HUGE_PAGES = '/sys/kernel/mm/hugepages';
const NO_CGROUP = 'cgroup does not exist';

/** @throws StatusError NotFound when the container has no cgroup, or none any more */
export function metricsOf(sys: Sys, { cgroup }: { readonly cgroup: string | undefined }): google.protobuf.Any {
  if (cgroup === undefined) throw notFound(NO_CGROUP);
  try {
    const fd = openDirectory(sys, cgroup);
    try {
      return anyOf('io.containerd.cgroups.v2.Metrics', v2.Metrics, metrics(readStats(sys, fd, pageSizes(sys))));
    } finally {
      close(sys, fd);
    }
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) throw notFound(NO_CGROUP);
    throw statusOf('stats', error);
  }
}

function pageSizes(sys: Sys): string[] {
  try {
    return hugePageSizes(listDirectory(sys, HUGE_PAGES));
  } catch (error) {
    if (isErrno(error, ENOENT)) return [];
    throw error;
  }
}

type Field = ReturnType<typeof field64>;

function field(value: Integer | undefined): Field {
  return field64(BigInt(value ?? 0));
}

function limit(value: Integer | undefined): Field {
  return field64(value === undefined ? UINT64_MAX : BigInt(value));
}

/** Pure. */
export function metrics(stats: CgroupStats): io.containerd.cgroups.v2.Metrics.$Properties {
  return {
    pids: { current: field(stats.pids.current), limit: limit(stats.pids.limit) },
    cpu: { ...picked(stats.cpu, CPU), psi: pressure(stats.pressure.cpu) },
    ...(stats.memory === undefined ? {} : { memory: memory(stats, stats.memory) }),
    io: {
      usage: stats.io.map(({ major, minor, counters }) => ({ major: field(major), minor: field(minor), ...picked(counters, IO) })),
      psi: pressure(stats.pressure.io),
    },
    hugetlb: Object.entries(stats.hugetlb).map(([pagesize, { current, limit: max, failures }]) => ({
      ...{ pagesize, current: field(current), max: limit(max), failcnt: field(failures) },
    })),
    memoryEvents: picked(stats.memoryEvents, MEMORY_EVENTS),
  };
}

function memory(stats: CgroupStats, usage: NonNullable<CgroupStats['memory']>): io.containerd.cgroups.v2.MemoryStat.$Properties {
  return {
    ...picked(stats.memoryDetails, MEMORY),
    usage: field(usage.current),
    usageLimit: limit(usage.limit),
    maxUsage: field(usage.peak),
    swapUsage: field(stats.swap?.current),
    swapLimit: stats.swap === undefined ? field(0) : limit(stats.swap.limit),
    swapMaxUsage: field(stats.swap?.peak),
    psi: pressure(stats.pressure.memory),
  };
}

function pressure(value: Pressure | undefined): io.containerd.cgroups.v2.PSIStats.$Properties | null {
  if (value === undefined) return null;
  const line = (part: Pressure['some']) => (part === undefined ? null : { ...part, total: field(part.total) });
  return { some: line(value.some), full: line(value.full) };
}

/** Fields whose names are the counters' in camel case. */
function picked(counters: Counters, names: readonly string[]): Record<string, Field> {
  return Object.fromEntries(
    names.map((name) => [name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), field(counters[name])]),
  );
}

const CPU = ['usage_usec', 'user_usec', 'system_usec', 'nr_periods', 'nr_throttled', 'throttled_usec', 'nr_bursts', 'burst_usec'];
const IO = ['rbytes', 'wbytes', 'rios', 'wios'];
const MEMORY_EVENTS = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill'];
const MEMORY = [
  'anon file kernel_stack slab sock shmem file_mapped file_dirty file_writeback anon_thp inactive_anon active_anon inactive_file active_file',
  'unevictable slab_reclaimable slab_unreclaimable pgfault pgmajfault workingset_nodereclaim pgrefill pgscan pgsteal pgactivate pgdeactivate',
  'pglazyfree pglazyfreed thp_fault_alloc workingset_refault_anon workingset_refault_file workingset_activate_anon workingset_activate_file',
].flatMap((line) => line.split(' '));
