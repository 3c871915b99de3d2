/** How long the warm process lives: while it has containers, promises to those who are about to send one, or events to hand over, and a while longer. */
import { performance } from 'node:perf_hooks';

/** From "are you there" to the container: containerd's own time for all of a create. */
const HOLD_MS = 30_000;
/** Events that containerd does not take are left to the next process in the end. */
const LONGEST_FOR_EVENTS_MS = 60_000;
const CHECK_MS = 250;

export interface LifetimeOptions {
  /** No container is there. */
  readonly isEmpty: () => boolean;
  /** How many events wait for containerd. */
  readonly eventsWaiting: () => number;
  /** How long to stay without anything to do: a new process for the next container takes ten times as long as the container. */
  readonly idleMs: number;
  /** Ends the process, if nobody has just asked for it: false. */
  readonly end: () => boolean;
}

export class Lifetime {
  readonly #options: LifetimeOptions;
  readonly #timer: NodeJS.Timeout;
  #idleSince = performance.now();
  #heldUntil = performance.now() + HOLD_MS;

  /** Begins with a promise: whoever has started the process wants something of it. */
  constructor(options: LifetimeOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    // What keeps the process alive is its socket.
    this.#timer.unref();
  }

  /** Somebody is about to send a container. */
  hold(): void {
    this.#heldUntil = performance.now() + HOLD_MS;
  }

  /** The container has come: what holds the process now is the container. */
  release(): void {
    this.#heldUntil = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const now = performance.now();
    if (!this.#options.isEmpty() || now < this.#heldUntil) {
      this.#idleSince = now;
      return;
    }
    const idle = now - this.#idleSince;
    const patience = this.#options.eventsWaiting() > 0 ? LONGEST_FOR_EVENTS_MS : this.#options.idleMs;
    if (idle >= patience && !this.#options.end()) {
      this.#idleSince = now;
    }
  }
}
