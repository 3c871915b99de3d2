import type { Scheduler } from '../../../../specs/runtime/linux/scheduling.ts';
import type { Process } from '../../../../specs/runtime/process.ts';
import { parseIndexList } from '../index-list.ts';
import type { Report, Rule } from './rule.ts';

const REFERENCE = 'config.md#linux-process';

/** sched_setattr(2) takes no runtime below this many nanoseconds. */
const DEADLINE_RUNTIME_MIN = 1024;

export const schedulingErrors: readonly Rule<Process>[] = [
  forScheduler('scheduler-policy', ({ policy }, report) => {
    // The number is reserved; no kernel has the policy.
    if (policy === 'SCHED_ISO') report('scheduler.policy', policy, 'is not supported by Linux');
  }),
  forScheduler('scheduler-nice', ({ policy, nice = 0 }, report) => {
    const matters = policy === 'SCHED_OTHER' || policy === 'SCHED_BATCH';
    if (matters && (nice < -20 || nice > 19)) report('scheduler.nice', nice, `must be from -20 to 19 with ${policy}`);
  }),
  forScheduler('scheduler-priority', ({ policy, priority = 0 }, report) => {
    const isRealTime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
    if (isRealTime && (priority < 1 || priority > 99)) report('scheduler.priority', priority, `must be from 1 to 99 with ${policy}`);
    if (!isRealTime && priority !== 0) report('scheduler.priority', priority, 'can only be given with SCHED_FIFO or SCHED_RR');
  }),
  forScheduler('scheduler-deadline', (scheduler, report) => {
    if (scheduler.policy === 'SCHED_DEADLINE') return checkDeadline(scheduler, report);
    for (const name of ['runtime', 'deadline', 'period'] as const) {
      const value = scheduler[name] ?? 0;
      if (value > 0) report(`scheduler.${name}`, value, 'can only be given with SCHED_DEADLINE');
    }
  }),
  {
    id: 'exec-cpu-affinity',
    reference: REFERENCE,
    check({ execCPUAffinity }, report) {
      for (const name of ['initial', 'final'] as const) {
        const list = execCPUAffinity?.[name];
        if (list !== undefined && !parseIndexList(list)?.length)
          report(`execCPUAffinity.${name}`, list, 'must be a list of CPUs such as 0-3,7');
      }
    },
  },
];

function forScheduler(id: string, check: (scheduler: Scheduler, report: Report) => void): Rule<Process> {
  return { id, reference: REFERENCE, check: ({ scheduler }, report) => scheduler !== undefined && check(scheduler, report) };
}

/** sched_setattr(2): runtime ≤ deadline ≤ period, where a period of 0 stands for the deadline. */
function checkDeadline({ runtime = 0, deadline = 0, period = 0 }: Scheduler, report: Report): void {
  if (runtime < DEADLINE_RUNTIME_MIN) report('scheduler.runtime', runtime, `must be at least ${DEADLINE_RUNTIME_MIN} with SCHED_DEADLINE`);
  if (deadline < runtime) report('scheduler.deadline', deadline, `must not be below the runtime ${runtime}`);
  if (period > 0 && period < deadline) report('scheduler.period', period, `must not be below the deadline ${deadline}`);
}
