/**
 * How long CRIU may go without a sign of life. A dump of much memory takes its time, and a CRIU that waits for a process which never stops, or for a page
 * server that never takes a page, says nothing: so it is not the whole that has a deadline, but silence.
 */
import { RuntimeError } from '../base/errors.ts';
import { monotonicMs, POLLIN, poll } from '../linux/poll.ts';
import type { Sys } from '../sys/sys.ts';

/** CRIU shows no sign of life. */
export class CriuSilent extends RuntimeError {
  constructor(silenceMs: number) {
    super('criu-timeout', `criu has done nothing for ${silenceMs / 1000} s, and was killed`);
    this.name = 'CriuSilent';
  }
}

/** How often it is looked for signs of life. */
const LOOK_MS = 250;

export class Patience {
  readonly #sys: Sys;
  readonly #silenceMs: number;
  readonly #sign: () => string;

  /** @param sign another text whenever CRIU has done something: how long its log is, how much time its processes have used, … */
  constructor(sys: Sys, silenceMs: number, sign: () => string) {
    this.#sys = sys;
    this.#silenceMs = silenceMs;
    this.#sign = sign;
  }

  /** Waits until the socket can be read. @throws CriuSilent */
  waitFor(socket: number): void {
    let last: string | undefined;
    let lastMs = monotonicMs(this.#sys);
    for (;;) {
      const [events] = poll(this.#sys, [{ fd: socket, events: POLLIN }], Math.min(LOOK_MS, this.#silenceMs));
      if (events !== undefined && events !== 0) return;
      const now = monotonicMs(this.#sys);
      const sign = this.#sign();
      if (sign !== last) {
        last = sign;
        lastMs = now;
      } else if (now - lastMs >= this.#silenceMs) {
        throw new CriuSilent(this.#silenceMs);
      }
    }
  }
}
