/** Scheduler, I/O priority, memory policy and personality of the process (config.md, config-linux.md). */

import type { Personality } from '../../../specs/runtime/linux/linux.ts';
import type { MemoryPolicy } from '../../../specs/runtime/linux/memory-policy.ts';
import { type IoPriority, SCHEDULER_FLAGS, type Scheduler } from '../../../specs/runtime/linux/scheduling.ts';
import { parseIndexList } from '../spec/index-list.ts';
import type { IoPriorityStep, MemoryPolicyStep, PersonalityStep, SchedulerStep } from './steps.ts';

/** linux/sched.h */
const POLICIES: Readonly<Record<Scheduler['policy'], number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

/** linux/ioprio.h */
const IO_CLASSES: Readonly<Record<IoPriority['class'], number>> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
const IO_CLASS_SHIFT = 13;

/** linux/mempolicy.h */
const MEMORY_MODES: Readonly<Record<MemoryPolicy['mode'], number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};
const MEMORY_FLAGS = { MPOL_F_NUMA_BALANCING: 0x2000, MPOL_F_RELATIVE_NODES: 0x4000, MPOL_F_STATIC_NODES: 0x8000 } as const;

export function planScheduler(scheduler: Scheduler): SchedulerStep {
  const flags = (scheduler.flags ?? []).reduce((bits, flag) => bits | (1n << BigInt(SCHEDULER_FLAGS.indexOf(flag))), 0n);
  return {
    kind: 'scheduler',
    configPath: 'process.scheduler',
    policy: POLICIES[scheduler.policy],
    flags,
    nice: scheduler.nice ?? 0,
    priority: scheduler.priority ?? 0,
    runtimeNs: BigInt(scheduler.runtime ?? 0),
    deadlineNs: BigInt(scheduler.deadline ?? 0),
    periodNs: BigInt(scheduler.period ?? 0),
  };
}

export function planIoPriority(priority: IoPriority): IoPriorityStep {
  const value = (IO_CLASSES[priority.class] << IO_CLASS_SHIFT) | (priority.priority ?? 0);
  return { kind: 'io-priority', configPath: 'process.ioPriority', value };
}

/** A list such as `0-3,7` as 64-bit words. The syntax was checked when the configuration was loaded. */
export function listMask(list: string): bigint[] {
  const words: bigint[] = [];
  for (const { first, last } of parseIndexList(list) ?? []) {
    for (let bit = first; bit <= last; bit++) {
      while (words.length <= bit >> 6) words.push(0n);
      words[bit >> 6] = (words[bit >> 6] ?? 0n) | (1n << BigInt(bit & 63));
    }
  }
  return words;
}

export function planMemoryPolicy(policy: MemoryPolicy): MemoryPolicyStep {
  const flags = (policy.flags ?? []).reduce((bits, flag) => bits | MEMORY_FLAGS[flag], 0);
  return {
    kind: 'memory-policy',
    configPath: 'linux.memoryPolicy',
    mode: MEMORY_MODES[policy.mode] | flags,
    nodeMask: listMask(policy.nodes ?? ''),
  };
}

/** linux/personality.h; no flags are defined by the specification. */
const PER_LINUX = 0;
const PER_LINUX32 = 8;

export function planPersonality(personality: Personality): PersonalityStep {
  return { kind: 'personality', configPath: 'linux.personality', persona: personality.domain === 'LINUX32' ? PER_LINUX32 : PER_LINUX };
}
