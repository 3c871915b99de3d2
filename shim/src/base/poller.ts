/** Waiting for descriptors in an event loop. Node itself waits for sockets, pipes and terminals only: not for pidfds, inotify or epoll. */

/** The POLL… flags of runtime/src/linux/poll.ts, which epoll(7) shares. */
export type PollEvents = number;

export interface Watch {
  /** What to wait for from now on; 0 is nothing, not even a hang-up. */
  want(events: PollEvents): void;
  /** Ends it. The descriptor stays the caller's, who closes it afterwards. */
  close(): void;
}

export interface Poller {
  /**
   * Calls `ready` in a turn of the loop of its own whenever the descriptor has one of the events, or an error or hang-up, for as long as it has
   * (level-triggered): who does not take what is there must want something else.
   */
  watch(fd: number, events: PollEvents, ready: (events: PollEvents) => void): Watch;
}
