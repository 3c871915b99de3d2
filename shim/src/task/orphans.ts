/**
 * Reaping what becomes this process's child without being started by it: what containers without a pid namespace leave behind, and hooks; and children of
 * keepers that earlier processes have left (keeper.ts). Those that somebody waits for are not touched: their ends are known at once, so only what has
 * been dead for a while is nobody's.
 */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { P_PID, processStat, WEXITED, WNOHANG } from '../../../runtime/src/linux/processes.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { buryChildren, childrenOf, deadChildren, keepersIn } from './keeper.ts';

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
  readonly #keepers: string | undefined;
  readonly #dead = new Map<string, number>();
  readonly #heard = (): void => this.#schedule();
  #timer: NodeJS.Timeout | undefined;

  /** Begins at once. This process must be a subreaper (prctl(2)) to get orphans at all. @param keepers directory of their sockets */
  constructor(sys: Sys, keepers: string | undefined, times: OrphanTimes = TIMES) {
    this.#sys = sys;
    this.#keepers = keepers;
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
    const isNobodys = (pid: number): boolean => {
      const stat = processStat(this.#sys, pid);
      if (stat?.state !== 'Z') return false;
      const key = `${pid} ${stat.startTime}`;
      const since = this.#dead.get(key) ?? now;
      if (now - since >= this.#times.deadMs) return true;
      seen.add(key);
      this.#dead.set(key, since);
      return false;
    };
    for (const pid of childrenOf(this.#sys, 'self')) {
      if (isNobodys(pid)) tryCall(this.#sys, 'waitid', P_PID, pid, null, WEXITED | WNOHANG, null);
    }
    const others = this.#buryChildrenOfKeepers(isNobodys);
    for (const key of this.#dead.keys()) if (!seen.has(key)) this.#dead.delete(key);
    return seen.size > 0 || others;
  }

  /** Returns whether there are keepers but our own, whose children's ends send no signal to us. */
  #buryChildrenOfKeepers(isNobodys: (pid: number) => boolean): boolean {
    if (this.#keepers === undefined) return false;
    const others = keepersIn(this.#sys, this.#keepers).filter(({ served }) => served !== process.pid);
    for (const keeper of others) {
      const dead = deadChildren(this.#sys, keeper.pid).filter(isNobodys);
      if (dead.length > 0) buryChildren(this.#sys, this.#keepers, keeper, dead);
    }
    return others.length > 0;
  }
}
