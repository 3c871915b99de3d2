/**
 * The numbers of the descriptors an agent has beside the ones its program will keep (0–2 and the preserved ones after them).
 * All of them are close-on-exec when the container's program starts.
 */
export interface AgentFds {
  readonly channel: number;
  /** The channel of the process that the first agent clones: the container's init. */
  readonly nextChannel: number;
  /** The listening socket of the start gate. */
  readonly gate: number;
  /** A connected socket that takes the terminal's master. */
  readonly console: number;
  /** The container's cgroup directory. */
  readonly cgroup: number;
  /** The root of the container's file system. */
  readonly root: number;
  /** The terminal's master, while it is being sent. */
  readonly terminal: number;
  /** A procfs of the runtime's own, which nothing in the container can mount over. */
  readonly proc: number;
  /** The mount that masked directories are copies of. */
  readonly mask: number;
  /** The host's /dev/null. */
  readonly nullDevice: number;
  /** The first of the mount sources that the runtime opened. */
  readonly prepared: number;
}

/** @param preserved how many descriptors after 2 the container's program keeps. */
export function agentFds(preserved: number): AgentFds {
  const first = 3 + preserved;
  return {
    channel: first,
    nextChannel: first + 1,
    gate: first + 2,
    console: first + 3,
    cgroup: first + 4,
    root: first + 5,
    terminal: first + 6,
    proc: first + 7,
    mask: first + 8,
    nullDevice: first + 9,
    prepared: first + 10,
  };
}
