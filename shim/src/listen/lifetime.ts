/** How long the warm process lives: while it has containers, promises to those who are about to send one, or events to hand over, and a while longer. */
/** From "are you there" to the container: containerd's own time for all of a create. */
const HOLD_MS = 30_000;
/** Events that containerd does not take are left to the next process in the end. */
const LONGEST_FOR_EVENTS_MS = 60_000;
const CHECK_MS = 250;
/** Stands for the container that the process was started for, until its id is known. */
const WHOEVER = '';

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
  /** Containers announced, and until when they are waited for. */
  readonly #promised = new Map<string, number>();
  #idleSince = performance.now();
  #isOver = false;

  /** Begins with a promise: whoever has started the process wants something of it. */
  constructor(options: LifetimeOptions) {
    this.#options = options;
    this.#promised.set(WHOEVER, performance.now() + HOLD_MS);
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    // What keeps the process alive is its socket.
    this.#timer.unref();
  }

  /** Somebody is about to send this container, or one whose id is not known yet. */
  hold(id: string = WHOEVER): void {
    this.#idleSince = performance.now();
    this.#promised.delete(WHOEVER);
    this.#promised.set(id, this.#idleSince + HOLD_MS);
  }

  /** It has come: what holds the process now is the container, which may be gone again before anybody looks. */
  release(id: string): void {
    this.#idleSince = performance.now();
    this.#promised.delete(WHOEVER);
    this.#promised.delete(id);
  }

  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** The process is ending: nothing can be promised any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  #check(): void {
    const now = performance.now();
    for (const [id, until] of this.#promised) if (until <= now) this.#promised.delete(id);
    if (!this.#options.isEmpty() || this.#promised.size > 0) {
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
