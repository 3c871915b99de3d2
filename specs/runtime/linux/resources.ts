import {
  array,
  boolean,
  deprecated,
  int64,
  integer,
  map,
  matching,
  object,
  oneOf,
  optional,
  string,
  uint32,
  uint64,
} from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';
import { BlockIO } from './block-io.ts';

/** One entry of the allowed device list, applied in order (`config-linux.md#allowed-device-list`). */
export const DeviceCgroup = object(
  {
    allow: boolean,
    /** Absent or `a`: all types, and then also all numbers. */
    type: optional(oneOf(['a', 'c', 'b'])),
    /** Absent, or -1 as some callers write: all numbers. */
    major: optional(int64),
    minor: optional(int64),
    /** Runtimes disagree on what it means to leave it out, so the rules refuse that. */
    access: optional(matching(/^[rwm]+$/, 'a combination of r (read), w (write) and m (mknod)')),
  },
  { section: 'config-linux.md#allowed-device-list' },
);
export interface DeviceCgroup extends Infer<typeof DeviceCgroup> {}

/** Limits in bytes, -1 being unlimited (`config-linux.md#memory`). */
export const Memory = object(
  {
    limit: optional(int64),
    /** Soft limit. */
    reservation: optional(int64),
    /** Memory plus swap. */
    swap: optional(int64),
    kernel: deprecated(int64, 'kernel memory has no limit of its own any more; the value is ignored'),
    kernelTCP: deprecated(int64, 'kernel TCP memory has no limit of its own with cgroup v2; the value is ignored'),
    swappiness: optional(integer(0, 100)),
    disableOOMKiller: optional(boolean),
    useHierarchy: optional(boolean),
    /** Refuse a limit below the present usage, instead of letting the OOM killer enforce it. */
    checkBeforeUpdate: optional(boolean),
  },
  { section: 'config-linux.md#memory' },
);
export interface Memory extends Infer<typeof Memory> {}

/** CPU time in microseconds, and placement (`config-linux.md#cpu`). */
export const Cpu = object(
  {
    shares: optional(uint64),
    /** Negative: no limit. */
    quota: optional(int64),
    burst: optional(uint64),
    period: optional(uint64),
    realtimeRuntime: optional(int64),
    realtimePeriod: optional(uint64),
    /** List such as `0-3,7`. */
    cpus: optional(string),
    mems: optional(string),
    /** 1: SCHED_IDLE. */
    idle: optional(integer(0, 1)),
  },
  { section: 'config-linux.md#cpu' },
);
export interface Cpu extends Infer<typeof Cpu> {}

/** Number of tasks; -1 is no limit, 0 is a limit (`config-linux.md#pids`). */
export const Pids = object({ limit: optional(int64) }, { section: 'config-linux.md#pids' });
export interface Pids extends Infer<typeof Pids> {}

/** Limit of one huge page size, in bytes (`config-linux.md#huge-page-limits`). */
export const HugepageLimit = object(
  { pageSize: matching(/^[1-9][0-9]*[KMG]B$/, 'a size such as 64KB, 2MB or 1GB'), limit: uint64 },
  { section: 'config-linux.md#huge-page-limits' },
);
export interface HugepageLimit extends Infer<typeof HugepageLimit> {}

export const InterfacePriority = object({ name: string, priority: uint32 }, { section: 'config-linux.md#network' });
export interface InterfacePriority extends Infer<typeof InterfacePriority> {}

/** The net_cls and net_prio controllers, which exist in cgroup v1 only (`config-linux.md#network`). */
export const Network = object(
  { classID: optional(uint32), priorities: optional(array(InterfacePriority)) },
  { section: 'config-linux.md#network' },
);
export interface Network extends Infer<typeof Network> {}

/** Limits of the RDMA device that is the key (`config-linux.md#rdma`). */
export const Rdma = object({ hcaHandles: optional(uint32), hcaObjects: optional(uint32) }, { section: 'config-linux.md#rdma' });
export interface Rdma extends Infer<typeof Rdma> {}

/** What the container's cgroup is set to (`config-linux.md#control-groups`); also what `update` reads. */
export const LinuxResources = object(
  {
    devices: optional(array(DeviceCgroup)),
    memory: optional(Memory),
    cpu: optional(Cpu),
    pids: optional(Pids),
    blockIO: optional(BlockIO),
    hugepageLimits: optional(array(HugepageLimit)),
    network: optional(Network),
    rdma: optional(map(Rdma, { section: 'config-linux.md#rdma' })),
    /** File names of the unified hierarchy and what is written to them. */
    unified: optional(map(string, { section: 'config-linux.md#unified' })),
  },
  { section: 'config-linux.md#control-groups' },
);
export interface LinuxResources extends Infer<typeof LinuxResources> {}
