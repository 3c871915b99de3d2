/** What is measured. Each topic is one comparison in one run. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, compare, freshId, runtimeCommand, type Topic } from './contest.ts';
import { execInProcess, inProcess } from './in-process-topics.ts';
import { type Command, inTurns, median, peakMemoryKiB, timeCommand, timeSuccess } from './measure.ts';
import { seccomp } from './seccomp.ts';
import type { Runtime } from './setting.ts';
import { trace } from './trace.ts';
import { update } from './update.ts';

const run: Topic = {
  name: 'run',
  measure: (setting) => {
    const contestants = new Map(
      setting.runtimes.map((runtime) => [
        runtime.name,
        () => timeSuccess(setting.sys, runtimeCommand(runtime, 'run', '--bundle', setting.trueBundle, freshId())),
      ]),
    );
    return [compare(setting, 'run', 'run of busybox true', contestants, { crun: 0.8, runc: 0.3 })];
  },
};

/** The container's program must have ended before it can be deleted: waiting for that is nobody's merit, and not measured. */
function waitUntilStopped(runtime: Runtime, id: string): void {
  for (let attempt = 0; attempt < 2000; attempt++) {
    const state = spawnSync(runtime.path, ['--root', runtime.root, 'state', id], { encoding: 'utf8' });
    if (state.stdout.includes('"stopped"')) return;
  }
  throw new Error(`${runtime.path}: ${id} does not stop`);
}

const lifecycle: Topic = {
  name: 'lifecycle',
  measure: (setting) => {
    const contestants = new Map(
      setting.runtimes.map((runtime) => [
        runtime.name,
        () => {
          const id = freshId();
          const create = timeSuccess(setting.sys, runtimeCommand(runtime, 'create', '--bundle', setting.trueBundle, id));
          const start = timeSuccess(setting.sys, runtimeCommand(runtime, 'start', id));
          waitUntilStopped(runtime, id);
          return create + start + timeSuccess(setting.sys, runtimeCommand(runtime, 'delete', id));
        },
      ]),
    );
    return [compare(setting, 'lifecycle', 'create + start + delete of busybox true', contestants, { crun: 0.8, runc: 0.3 })];
  },
};

/** Commands on a running container, one container of each runtime. */
const commands: Topic = {
  name: 'commands',
  measure: (setting) => {
    const { sys } = setting;
    const running = setting.runtimes.map((runtime) => {
      const id = freshId();
      timeSuccess(sys, runtimeCommand(runtime, 'run', '--detach', '--bundle', setting.sleepBundle, id));
      return { runtime, id };
    });
    try {
      const each = (args: (id: string) => string[]) =>
        new Map(running.map(({ runtime, id }) => [runtime.name, () => timeSuccess(sys, runtimeCommand(runtime, ...args(id)))]));
      const limits = { crun: 1.0 };
      return [
        compare(
          setting,
          'commands',
          'state',
          each((id) => ['state', id]),
          limits,
        ),
        compare(
          setting,
          'commands',
          'kill (SIGCONT to a running container)',
          each((id) => ['kill', id, 'CONT']),
          limits,
        ),
        compare(
          setting,
          'commands',
          'exec --detach of true',
          each((id) => ['exec', '--detach', id, '/bin/true']),
          limits,
        ),
      ];
    } finally {
      for (const { runtime, id } of running) timeCommand(sys, runtimeCommand(runtime, 'delete', '--force', id));
    }
  },
};

const memory: Topic = {
  name: 'memory',
  measure: ({ sys, runtimes, trueBundle }) => {
    const peaks = runtimes.map((runtime) => {
      const run = (): Command => runtimeCommand(runtime, 'run', '--bundle', trueBundle, freshId());
      const samples = Array.from({ length: 7 }, () => peakMemoryKiB(sys, run()));
      return [runtime.name, median(samples)] as const;
    });
    const medians = Object.fromEntries(peaks);
    const goals = [{ name: 'tsrun in MB', value: (medians['tsrun'] ?? 0) / 1024, limit: 6 }];
    return [{ topic: 'memory', what: 'peak resident memory of run', medians, unit: 'KiB', goals }];
  },
};

/** Proportional set size of a process in KiB. */
function proportionalKiB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

const created: Topic = {
  name: 'created',
  measure: (setting) => {
    const sizes = setting.runtimes.map((runtime) => {
      const id = freshId();
      const pidFile = join(setting.directory, `${id}.pid`);
      timeSuccess(setting.sys, runtimeCommand(runtime, 'create', '--bundle', setting.trueBundle, '--pid-file', pidFile, id));
      const size = proportionalKiB(Number(readFileSync(pidFile, 'utf8')));
      timeSuccess(setting.sys, runtimeCommand(runtime, 'delete', '--force', id));
      return [runtime.name, size] as const;
    });
    const medians = Object.fromEntries(sizes);
    return [
      {
        topic: 'created',
        what: 'memory (PSS) of the init of a created container',
        medians,
        unit: 'KiB',
        goals: [{ name: 'tsrun in KiB', value: medians['tsrun'] ?? 0, limit: 300 }],
      },
    ];
  },
};

/** The Node command beside a Node that does nothing. */
const node: Topic = {
  name: 'node',
  measure: (setting) => {
    const { sys } = setting;
    const [command_, empty] = inTurns(setting.rounds, [
      () => timeSuccess(sys, runtimeCommand(setting.nodeCommand, 'run', '--bundle', setting.trueBundle, freshId())),
      () => timeSuccess(sys, command(process.execPath, '-e', '0')),
    ]);
    const differences = (command_ ?? []).map((value, round) => value - (empty?.[round] ?? 0));
    return [
      {
        topic: 'node',
        what: 'run of busybox true by the Node command',
        medians: { 'tsrun-node': median(command_ ?? []), 'node -e 0': median(empty ?? []) },
        unit: 'ms',
        goals: [{ name: 'ms over node -e 0', value: median(differences), limit: 45 }],
      },
    ];
  },
};

export const TOPICS: readonly Topic[] = [run, lifecycle, commands, memory, created, node, inProcess, execInProcess, seccomp, trace, update];
