/** cgroup.events, which tells of processes and freezing, and wakes a poller when it changes. */
import { call } from '../linux/call.ts';
import { close, open, readFile } from '../linux/files.ts';
import { monotonicMs, POLLPRI, poll } from '../linux/poll.ts';
import type { Sys } from '../sys/sys.ts';

export interface CgroupEvents {
  /** The cgroup or a descendant holds a process that is not a zombie. */
  readonly populated: boolean;
  /** All its processes are stopped, by its own cgroup.freeze or an ancestor's. */
  readonly frozen: boolean;
}

export function parseEvents(text: string): CgroupEvents {
  const lines = text.split('\n');
  return { populated: lines.includes('populated 1'), frozen: lines.includes('frozen 1') };
}

/** Reads the events of the cgroup `directory`, by its descriptor where there is one. */
export function readEvents(sys: Sys, directory: string, directoryFd?: number): CgroupEvents {
  return parseEvents(directoryFd === undefined ? readFile(sys, `${directory}/cgroup.events`) : readFile(sys, 'cgroup.events', directoryFd));
}

const FILE_BYTES = 256;
const FIRST_WAIT_MS = 0.2;
const LONGEST_WAIT_MS = 50;

/**
 * Waits until the events of a cgroup satisfy `condition`. Returns false when `timeoutMs` has passed.
 * The kernel wakes pollers of one cgroup at most every 10 ms, so short waits are also cut short by a growing timer.
 */
export function waitForEvents(sys: Sys, directory: string, timeoutMs: number, condition: (events: CgroupEvents) => boolean): boolean {
  const file = `${directory}/cgroup.events`;
  const fd = open(sys, file);
  try {
    const deadline = monotonicMs(sys) + timeoutMs;
    const buffer = new ArrayBuffer(FILE_BYTES);
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      // Reading from the start both renders the file anew and arms the poll.
      const length = call(sys, 'pread64', file, fd, buffer, buffer.byteLength, 0);
      if (condition(parseEvents(sys.decode(buffer, 0, length)))) return true;
      const leftMs = deadline - monotonicMs(sys);
      if (leftMs <= 0) return false;
      poll(sys, [{ fd, events: POLLPRI }], Math.min(waitMs, leftMs));
    }
  } finally {
    close(sys, fd);
  }
}
