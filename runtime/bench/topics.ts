/** What is measured. Each topic is one comparison in one run. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, inTurns, median, pairedRatio, peakMemoryKiB, timeCommand, timeSuccess } from './measure.ts';
import type { Row } from './report.ts';
import type { Runtime, Setting } from './setting.ts';

export interface Topic {
  readonly name: string;
  measure(setting: Setting): Row[];
}

/** A command line. */
function command(path: string, ...args: string[]): Command {
  return { path, args };
}

/** A command line of a runtime, its state on the tmpfs of the setting. */
function runtimeCommand({ path, root }: Runtime, ...args: string[]): Command {
  return { path, args: ['--root', root, ...args] };
}

let serial = 0;
function freshId(): string {
  serial++;
  return `bench-${process.pid}-${serial}`;
}

function compare(
  setting: Setting,
  topic: string,
  what: string,
  contestants: ReadonlyMap<string, (round: number) => number>,
  limits: Readonly<Record<string, number>>,
): Row {
  const names = [...contestants.keys()];
  const samples = inTurns(setting.rounds, [...contestants.values()]);
  const ours = samples[0] ?? [];
  const goals = names.slice(1).flatMap((name, index) => {
    const limit = limits[name];
    return limit === undefined ? [] : [{ name: `${names[0]} / ${name}`, value: pairedRatio(ours, samples[index + 1] ?? []), limit }];
  });
  const medians = Object.fromEntries(names.map((name, index) => [name, median(samples[index] ?? [])]));
  return { topic, what, medians, unit: 'ms', goals };
}

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

/** The engine has compiled what is used often by then. */
const WARM_UP_ROUNDS = 300;

/** The library called in this process, as the shim does, beside whole runs of the peers. */
const inProcess: Topic = {
  name: 'in-process',
  measure: (setting) => {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) setting.inProcess();
    const contestants = new Map<string, (round: number) => number>([['tsrun in process', () => setting.inProcess()]]);
    for (const runtime of setting.runtimes.slice(1)) {
      contestants.set(runtime.name, () =>
        timeSuccess(setting.sys, runtimeCommand(runtime, 'run', '--bundle', setting.trueBundle, freshId())),
      );
    }
    const what = 'create → start → exit → delete in a warm process, beside whole runs';
    return [compare(setting, 'in-process', what, contestants, { crun: 0.4, runc: 0.15 })];
  },
};

export const TOPICS: readonly Topic[] = [run, lifecycle, commands, memory, created, node, inProcess];
