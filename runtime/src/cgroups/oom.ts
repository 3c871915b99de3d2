/** Noticing that the kernel kills processes of a cgroup for want of memory. */
import { call, tryCall } from '../linux/call.ts';
import { ENODEV, ENOENT, isErrno, syscallError } from '../linux/errno.ts';
import { close, readFile } from '../linux/files.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';
import { readEvents } from './events.ts';
import { parseCounters } from './stats.ts';

/** How many processes of the cgroup and its descendants the OOM killer has killed. Undefined without the memory controller, or without the cgroup. */
export function oomKillCount(sys: Sys, directory: string): number | undefined {
  try {
    return Number(parseCounters(readFile(sys, `${directory}/memory.events`))['oom_kill'] ?? 0);
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) return undefined;
    throw error;
  }
}

export interface OomReport {
  /** Processes killed since the last report. */
  readonly kills: number;
  /** No process is left, or the cgroup is gone: nothing more will come. */
  readonly ended: boolean;
}

const IN_MODIFY = 2;

/** A watch for OOM kills. `fd` becomes readable (POLLIN) when there may be something to report; `read` then tells, without waiting. */
export class OomWatch {
  readonly fd: number;
  readonly #sys: Sys;
  readonly #directory: string;
  #seen: number;

  /**
   * Watches a cgroup; kills from now on count. Undefined where it has no memory controller, and so no OOM killer of its own.
   *
   * @param directory absolute path of the cgroup
   */
  static open(sys: Sys, directory: string): OomWatch | undefined {
    const fd = call(sys, 'inotify_init1', 'OOM watch', O_CLOEXEC | O_NONBLOCK);
    for (const file of ['memory.events', 'cgroup.events']) {
      const path = `${directory}/${file}`;
      const result = tryCall(sys, 'inotify_add_watch', fd, path, IN_MODIFY);
      if (result >= 0) continue;
      close(sys, fd);
      if (result === -ENOENT) return undefined;
      throw syscallError({ syscall: 'inotify_add_watch', errno: -result, object: path });
    }
    return new OomWatch(sys, directory, fd);
  }

  private constructor(sys: Sys, directory: string, fd: number) {
    this.#sys = sys;
    this.#directory = directory;
    this.fd = fd;
    this.#seen = oomKillCount(sys, directory) ?? 0;
  }

  read(): OomReport {
    const buffer = new ArrayBuffer(4096);
    // What the events say is of no interest: the counter is the truth.
    while (tryCall(this.#sys, 'read', this.fd, buffer, buffer.byteLength) > 0);
    const count = oomKillCount(this.#sys, this.#directory);
    const kills = Math.max(0, (count ?? this.#seen) - this.#seen);
    this.#seen += kills;
    return { kills, ended: count === undefined || !this.#isPopulated() };
  }

  close(): void {
    close(this.#sys, this.fd);
  }

  #isPopulated(): boolean {
    try {
      return readEvents(this.#sys, this.#directory).populated;
    } catch (error) {
      if (isErrno(error, ENOENT, ENODEV)) return false;
      throw error;
    }
  }
}
