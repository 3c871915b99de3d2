import type { Scheduler } from '../../../../specs/runtime/linux/scheduling.ts';
import type { Process } from '../../../../specs/runtime/process.ts';
import { findErrors } from '../test/findings.ts';

describe('scheduler rules', () => {
  it.each<[Scheduler, string[]]>([
    [{ policy: 'SCHED_OTHER', nice: -20 }, []],
    [{ policy: 'SCHED_BATCH', nice: 19, flags: ['SCHED_FLAG_RESET_ON_FORK'] }, []],
    [{ policy: 'SCHED_OTHER', nice: 20 }, ['scheduler-nice nice']],
    [{ policy: 'SCHED_BATCH', nice: -21 }, ['scheduler-nice nice']],
    [{ policy: 'SCHED_IDLE', nice: 20 }, []],
    [{ policy: 'SCHED_FIFO', priority: 99 }, []],
    [{ policy: 'SCHED_RR', priority: 1 }, []],
    [{ policy: 'SCHED_RR' }, ['scheduler-priority priority']],
    [{ policy: 'SCHED_FIFO', priority: 100 }, ['scheduler-priority priority']],
    [{ policy: 'SCHED_OTHER', priority: 1 }, ['scheduler-priority priority']],
    [{ policy: 'SCHED_OTHER', priority: 0, runtime: 0, period: 0 }, []],
    [
      { policy: 'SCHED_OTHER', runtime: 1, deadline: 1, period: 1 },
      ['runtime', 'deadline', 'period'].map((name) => `scheduler-deadline ${name}`),
    ],
    [{ policy: 'SCHED_DEADLINE', nice: 19, runtime: 42000, deadline: 100000, period: 1000000 }, []],
    [{ policy: 'SCHED_DEADLINE', runtime: 1024, deadline: 1024 }, []],
    [{ policy: 'SCHED_DEADLINE', runtime: 9007199254740993n, deadline: 9007199254740992n }, ['scheduler-deadline deadline']],
    [{ policy: 'SCHED_DEADLINE', runtime: 2000, deadline: 3000, period: 2999 }, ['scheduler-deadline period']],
    [{ policy: 'SCHED_DEADLINE' }, ['scheduler-deadline runtime']],
    [{ policy: 'SCHED_ISO' }, ['scheduler-policy policy']],
  ])('%p', (scheduler, expected) => {
    expect(findErrors({ process: { scheduler } })).toEqual(expected.map((found) => found.replace(' ', ' process.scheduler.')));
  });
});

describe('other scheduling', () => {
  it.each<[Partial<Process>, string[]]>([
    [{ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 7 } }, []],
    [{ ioPriority: { class: 'IOPRIO_CLASS_IDLE' } }, []],
    [{ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 8 } }, ['type process.ioPriority.priority']],
    [{ execCPUAffinity: { initial: '7', final: '0-3, 7' } }, []],
    [{ execCPUAffinity: { initial: '' } }, []],
    [
      { execCPUAffinity: { initial: 'a', final: '3-1' } },
      ['initial', 'final'].map((name) => `exec-cpu-affinity process.execCPUAffinity.${name}`),
    ],
    [{ execCPUAffinity: { final: ',' } }, ['exec-cpu-affinity process.execCPUAffinity.final']],
  ])('%j', (process, expected) => {
    expect(findErrors({ process })).toEqual(expected);
  });
});
