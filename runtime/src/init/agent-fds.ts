import { O_CLOEXEC } from '../linux/open-flags.ts';
import { CLOSE_RANGE_ALL } from '../linux/prctl.ts';
import type { Program } from './program.ts';

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
  /** All numbers from here on are free for what a program opens and forgets. */
  readonly temporary: number;
}

/**
 * @param preserved how many descriptors after 2 the container's program keeps
 * @param prepared how many mount sources the runtime hands over
 */
export function agentFds(preserved: number, prepared = 0): AgentFds {
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
    temporary: first + 10 + prepared,
  };
}

/**
 * Occupies the numbers that were not given, so that nothing a program opens gets one of them, to be destroyed by the dup3(2) that later puts
 * the real thing there. What the caller left open above them is closed.
 */
export function reserveFds(program: Program, fds: AgentFds, given: readonly number[]): void {
  program.step('close what the caller left open');
  closeTemporaries(program, fds);
  for (let fd = fds.channel + 1; fd < fds.temporary; fd++) if (!given.includes(fd)) program.call('dup3', [0, fd, O_CLOEXEC]);
}

/** Closes all that a program has opened and forgotten: one call in place of many. */
export function closeTemporaries(program: Program, fds: AgentFds): void {
  program.call('close_range', [fds.temporary, CLOSE_RANGE_ALL, 0]);
}
