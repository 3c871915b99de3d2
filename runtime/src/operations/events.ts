/** events: a container's statistics and OOM kills, as JSON lines in the shape of runc's. */
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { RuntimeError } from '../base/errors.ts';
import { OomWatch } from '../cgroups/oom.ts';
import { hugePageSizes, readStats } from '../cgroups/stats.ts';
import { statsJson } from '../cgroups/stats-json.ts';
import { ENOENT, isErrno } from '../linux/errno.ts';
import { close, listDirectory, openDirectory } from '../linux/files.ts';
import { monotonicMs, POLLIN, poll } from '../linux/poll.ts';
import { pidfdOpen } from '../linux/processes.ts';
import type { ContainerRecord } from '../state/record.ts';
import { isAlive } from '../state/status.ts';
import type { LightContext } from './context/light-context.ts';
import { notRunning, observe } from './context/observe.ts';

export interface EventsOptions {
  readonly id: string;
  /** One record of statistics, and no more. */
  readonly once: boolean;
  readonly intervalMs: number;
}

/** Takes one JSON text without the end of its line. */
export type Emit = (line: string) => void;

const HUGE_PAGES = '/sys/kernel/mm/hugepages';

/** Runs until the container has ended. @throws RuntimeError 'not-running', 'cgroup-missing' */
export function events(context: LightContext, options: EventsOptions, emit: Emit): void {
  const { record, status } = observe(context, options.id);
  if (status === 'stopped' || status === 'creating') throw notRunning();
  const directory = record.cgroup?.directory;
  if (directory === undefined) throw new RuntimeError('cgroup-missing', `container ${record.id} has no cgroup, and so no statistics`);
  if (options.once) emitStats(context, record, directory, emit);
  else follow(context, record, directory, { intervalMs: options.intervalMs, emit });
}

function pageSizes(context: LightContext): string[] {
  try {
    return hugePageSizes(listDirectory(context.sys, HUGE_PAGES));
  } catch (error) {
    if (isErrno(error, ENOENT)) return [];
    throw error;
  }
}

function emitStats(context: LightContext, record: ContainerRecord, directory: string, emit: Emit): void {
  const { sys } = context;
  const fd = openDirectory(sys, directory);
  try {
    emit(stringifyJson({ type: 'stats', id: record.id, data: statsJson(readStats(sys, fd, pageSizes(context))) }));
  } finally {
    close(sys, fd);
  }
}

interface Following {
  readonly intervalMs: number;
  readonly emit: Emit;
}

/** Statistics at once and then at every interval; OOM kills when they happen. */
function follow(context: LightContext, record: ContainerRecord, directory: string, { intervalMs, emit }: Following): void {
  const { sys } = context;
  const watch = OomWatch.open(sys, directory);
  const pidfd = pidfdOpen(sys, record.pid);
  try {
    for (let next = monotonicMs(sys); isAlive(sys, record); ) {
      if (monotonicMs(sys) >= next) {
        emitStats(context, record, directory, emit);
        next += intervalMs;
      }
      const entries = [{ fd: pidfd, events: POLLIN }, ...(watch === undefined ? [] : [{ fd: watch.fd, events: POLLIN }])];
      poll(sys, entries, next - monotonicMs(sys));
      const report = watch?.read();
      for (let kill = 0; kill < (report?.kills ?? 0); kill++) emit(stringifyJson({ type: 'oom', id: record.id }));
    }
  } finally {
    watch?.close();
    close(sys, pidfd);
  }
}
