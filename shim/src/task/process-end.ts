/** Seeing a process end, and learning how: our own child, or one that a shim before us has started. */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { ESRCH, isErrno } from '../../../runtime/src/linux/errno.ts';
import { close } from '../../../runtime/src/linux/files.ts';
import { POLLIN } from '../../../runtime/src/linux/poll.ts';
import { pidfdKill, pidfdOpen, pollExit, processStat } from '../../../runtime/src/linux/processes.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { nowInNanoseconds } from '../../../specs/containerd/timestamp.ts';
import type { Poller, Watch } from '../base/poller.ts';
import { waitStatusOfZombie } from './zombie.ts';

/** A process's end. */
export interface ProcessEnd {
  /** Exit code, or 128 + the signal that ended it. */
  readonly status: number;
  readonly signal: number | undefined;
  /** Nanoseconds since 1970. */
  readonly at: bigint;
  /** It ended without anybody there who could be told how: `status` is UNKNOWN_STATUS then. */
  readonly unknown?: boolean;
}

/** What containerd and docker take for "not known". */
export const UNKNOWN_STATUS = 255;

/** As wait(2) reports it. */
export function endOfWaitStatus(waitStatus: number, at: bigint): ProcessEnd {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? { status: (waitStatus >> 8) & 0xff, signal: undefined, at } : { status: 128 + signal, signal, at };
}

/** A process that is waited for. */
export class WatchedProcess {
  readonly #sys: Sys;
  readonly pid: number;
  readonly #startTime: number;
  readonly #pidfd: number;
  readonly #watch: Watch;
  readonly #ended: (end: ProcessEnd) => void;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param ended called once, unless `close` comes before
   * @returns undefined when there is no such process any more
   */
  static watch(
    sys: Sys,
    poller: Poller,
    process: { readonly pid: number; readonly startTime: number },
    ended: (end: ProcessEnd) => void,
  ): WatchedProcess | undefined {
    let pidfd: number;
    try {
      pidfd = pidfdOpen(sys, process.pid);
    } catch (error) {
      if (isErrno(error, ESRCH)) return undefined;
      throw error;
    }
    if (processStat(sys, process.pid)?.startTime === process.startTime) return new WatchedProcess(sys, poller, process, pidfd, ended);
    close(sys, pidfd);
    return undefined;
  }

  private constructor(
    sys: Sys,
    poller: Poller,
    process: { readonly pid: number; readonly startTime: number },
    pidfd: number,
    ended: (end: ProcessEnd) => void,
  ) {
    this.#sys = sys;
    this.pid = process.pid;
    this.#startTime = process.startTime;
    this.#pidfd = pidfd;
    this.#ended = ended;
    this.#watch = poller.watch(pidfd, POLLIN, () => this.#look());
  }

  /** Returns false when it has ended. */
  kill(signal: number): boolean {
    return pidfdKill(this.#sys, this.#pidfd, signal);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watch.close();
    close(this.#sys, this.#pidfd);
  }

  #look(): void {
    const at = nowInNanoseconds();
    const exit = pollExit(this.#sys, this.#pidfd);
    if (exit !== undefined) {
      const { status, signaled } = exit;
      this.#end({ status: signaled ? 128 + status : status, signal: signaled ? status : undefined, at });
      return;
    }
    const foreign = foreignEnd(this.#sys, this.#pidfd, this.pid, this.#startTime, at);
    if (foreign !== undefined) {
      this.#end(foreign);
      return;
    }
    // Between its end and its burial by another parent the kernel may not tell yet.
    this.#watch.want(0);
    this.#attempts++;
    if (this.#attempts > MOST_ATTEMPTS) this.#end({ status: UNKNOWN_STATUS, signal: undefined, at, unknown: true });
    else this.#timer = setTimeout(() => this.#look(), ATTEMPT_MS);
  }

  #end(end: ProcessEnd): void {
    this.#watch.close();
    this.#ended(end);
  }
}

const MOST_ATTEMPTS = 20;
const ATTEMPT_MS = 5;

/** The end of a process that is not our child. As a zombie it shows its status to root; when it was buried, the pidfd tells, from Linux 6.15 on. */
function foreignEnd(sys: Sys, pidfd: number, pid: number, startTime: number, at: bigint): ProcessEnd | undefined {
  const waitStatus = waitStatusOfZombie(sys, pid, startTime) ?? waitStatusOfPidfd(sys, pidfd);
  return waitStatus === undefined ? undefined : endOfWaitStatus(waitStatus, at);
}

/** ioctl(2) PIDFD_GET_INFO (linux/pidfd.h) with the first version of its structure. */
const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_BYTES = 64;
const PIDFD_INFO_EXIT = 8n;
const EXIT_CODE = 60;

function waitStatusOfPidfd(sys: Sys, pidfd: number): number | undefined {
  const info = new ArrayBuffer(PIDFD_INFO_BYTES);
  const view = new DataView(info);
  view.setBigUint64(0, PIDFD_INFO_EXIT, true);
  if (tryCall(sys, 'ioctl', pidfd, PIDFD_GET_INFO, info) < 0) return undefined;
  return (view.getBigUint64(0, true) & PIDFD_INFO_EXIT) === 0n ? undefined : view.getInt32(EXIT_CODE, true);
}
