/** `update` of a running container's limits: where the unified hierarchy has controllers. */
import { existsSync, readFileSync } from 'node:fs';
import { compare, freshId, runtimeCommand, type Topic } from './contest.ts';
import { timeCommand, timeSuccess } from './measure.ts';

const CONTROLLERS = '/sys/fs/cgroup/cgroup.controllers';
/** Changes with each round, so that something is written. */
const limits = (round: number): string[] => [
  ...['--memory', String(64_000_000 + (round % 2) * 4_096_000)],
  ...['--pids-limit', String(100 + (round % 2))],
  ...['--cpu-period', '100000', '--cpu-quota', String(50_000 + (round % 2) * 1000)],
];

export const update: Topic = {
  name: 'update',
  missing: () =>
    existsSync(CONTROLLERS) && /\bmemory\b/.test(readFileSync(CONTROLLERS, 'utf8'))
      ? undefined
      : 'the unified hierarchy of this machine has no memory controller; it is measured in the guest kernel',
  measure: (setting) => {
    const { sys } = setting;
    const running = setting.runtimes.map((runtime) => ({ runtime, id: freshId() }));
    try {
      const contestants = new Map<string, (round: number) => number>();
      for (const { runtime, id } of running) {
        timeSuccess(sys, runtimeCommand(runtime, 'run', '--detach', '--bundle', setting.sleepBundle, id));
        contestants.set(runtime.name, (round) => timeSuccess(sys, runtimeCommand(runtime, 'update', ...limits(round), id)));
      }
      return [compare(setting, 'update', 'update of memory, pids and cpu of a running container', contestants, { crun: 1.0 })];
    } finally {
      for (const { runtime, id } of running) timeCommand(sys, runtimeCommand(runtime, 'delete', '--force', id));
    }
  },
};
