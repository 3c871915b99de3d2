/**
 * Reaping what becomes this process's child without being started by it: what containers without a pid namespace leave behind, and hooks. Children
 * that somebody waits for are not touched: those are reaped at once, so only what has been dead for a while is nobody's.
 */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { listDirectory, readFileIfExists } from '../../../runtime/src/linux/files.ts';
import { P_PID, processStat, WEXITED, WNOHANG } from '../../../runtime/src/linux/processes.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';

export interface OrphanTimes {
  /** After a child has ended. */
  readonly lookMs: number;
  /** Dead for so long, a child is nobody's. */
  readonly deadMs: number;
}

/** Longer than any operation leaves a child of its own unreaped, but for one that is held up: to that one, reaped already is as good. */
const TIMES: OrphanTimes = { lookMs: 5_000, deadMs: 15_000 };

export class OrphanReaper {
  readonly #sys: Sys;
  readonly #times: OrphanTimes;
  readonly #dead = new Map<string, number>();
  readonly #heard = (): void => this.#schedule();
  #timer: NodeJS.Timeout | undefined;

  /** Begins at once. This process must be a subreaper (prctl(2)) to get orphans at all. */
  constructor(sys: Sys, times: OrphanTimes = TIMES) {
    this.#sys = sys;
    this.#times = times;
    process.on('SIGCHLD', this.#heard);
    this.#schedule();
  }

  close(): void {
    process.off('SIGCHLD', this.#heard);
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#look()) this.#schedule();
    }, this.#times.lookMs).unref();
  }

  /** Returns whether there are dead children that are to be looked at again. */
  #look(): boolean {
    const now = performance.now();
    const seen = new Set<string>();
    for (const pid of children(this.#sys)) {
      const stat = processStat(this.#sys, pid);
      if (stat?.state !== 'Z') continue;
      const key = `${pid} ${stat.startTime}`;
      const since = this.#dead.get(key) ?? now;
      if (now - since >= this.#times.deadMs) tryCall(this.#sys, 'waitid', P_PID, pid, null, WEXITED | WNOHANG, null);
      else {
        seen.add(key);
        this.#dead.set(key, since);
      }
    }
    for (const key of this.#dead.keys()) if (!seen.has(key)) this.#dead.delete(key);
    return seen.size > 0;
  }
}

function children(sys: Sys): number[] {
  return listDirectory(sys, '/proc/self/task')
    .flatMap((thread) => (readFileIfExists(sys, `/proc/self/task/${thread}/children`) ?? '').split(' '))
    .map(Number)
    .filter((pid) => pid > 0);
}
