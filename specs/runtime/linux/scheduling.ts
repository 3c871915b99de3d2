import { array, int32, integer, object, oneOf, optional, string, uint64 } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

export const SCHEDULER_POLICIES = [
  'SCHED_OTHER',
  'SCHED_FIFO',
  'SCHED_RR',
  'SCHED_BATCH',
  'SCHED_ISO',
  'SCHED_IDLE',
  'SCHED_DEADLINE',
] as const;
export type SchedulerPolicy = (typeof SCHEDULER_POLICIES)[number];

export const SCHEDULER_FLAGS = [
  'SCHED_FLAG_RESET_ON_FORK',
  'SCHED_FLAG_RECLAIM',
  'SCHED_FLAG_DL_OVERRUN',
  'SCHED_FLAG_KEEP_POLICY',
  'SCHED_FLAG_KEEP_PARAMS',
  'SCHED_FLAG_UTIL_CLAMP_MIN',
  'SCHED_FLAG_UTIL_CLAMP_MAX',
] as const;
export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

/** What sched_setattr(2) is given (`config.md#linux-process`). Absent numbers mean 0. */
export const Scheduler = object(
  {
    policy: oneOf(SCHEDULER_POLICIES),
    nice: optional(int32),
    /** Static priority, for SCHED_FIFO and SCHED_RR. */
    priority: optional(int32),
    flags: optional(array(oneOf(SCHEDULER_FLAGS))),
    /** Nanoseconds, for SCHED_DEADLINE. */
    runtime: optional(uint64),
    deadline: optional(uint64),
    period: optional(uint64),
  },
  { section: 'config.md#linux-process' },
);
export interface Scheduler extends Infer<typeof Scheduler> {}

export const IO_PRIORITY_CLASSES = ['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'] as const;
export type IoPriorityClass = (typeof IO_PRIORITY_CLASSES)[number];

/** I/O scheduling class and, from 0 (highest) to 7, the level in it (`config.md#linux-process`). An absent level means 0. */
export const IoPriority = object(
  { class: oneOf(IO_PRIORITY_CLASSES), priority: optional(integer(0, 7)) },
  { section: 'config.md#linux-process' },
);
export interface IoPriority extends Infer<typeof IoPriority> {}

/** CPU lists such as `0-3,7` for an executed process, before and after it enters the container's cgroup (`config.md#linux-process`). */
export const ExecCPUAffinity = object({ initial: optional(string), final: optional(string) }, { section: 'config.md#linux-process' });
export interface ExecCPUAffinity extends Infer<typeof ExecCPUAffinity> {}
