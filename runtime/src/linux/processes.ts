/** Processes seen from outside: pidfds, signals, waiting, what procfs says of them. */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { ECHILD, ESRCH, isErrno, syscallError } from './errno.ts';
import { close, readFileIfExists } from './files.ts';

export const SIGHUP = 1;
export const SIGKILL = 9;
export const SIGTERM = 15;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGWINCH = 28;

const P_PIDFD = 3;
export const P_PID = 1;
export const WEXITED = 4;
export const WNOHANG = 1;
const CLD_EXITED = 1;

/** A close-on-exec descriptor of a process; the caller closes it. */
export function pidfdOpen(sys: Sys, pid: number): number {
  return call(sys, 'pidfd_open', `process ${pid}`, pid, 0);
}

/** The pid of a pidfd's process as this process sees it; undefined when it was reaped or is of a pid namespace that cannot be seen. */
export function pidOfPidfd(sys: Sys, pidfd: number): number | undefined {
  const pid = Number(/^Pid:\s*(-?\d+)/m.exec(readFileIfExists(sys, `/proc/self/fdinfo/${pidfd}`) ?? '')?.[1]);
  return pid > 0 ? pid : undefined;
}

export interface ProcessStat {
  /** One letter of proc(5): R, S, D, Z, T, X… */
  readonly state: string;
  readonly parentPid: number;
  /** Start time in clock ticks after boot: with the pid it names a process for good. */
  readonly startTime: number;
}

/** /proc/PID/stat, or undefined when there is no such process. */
export function processStat(sys: Sys, pid: number): ProcessStat | undefined {
  const fields = statFields(sys, pid);
  return fields === undefined ? undefined : { state: fields[0] ?? '', parentPid: Number(fields[1]), startTime: Number(fields[19]) };
}

/** The processor time that a process and its children, those that were waited for, have used: utime, stime, cutime and cstime of proc_pid_stat(5). */
export function processorTicks(sys: Sys, pid: number): number {
  const times = statFields(sys, pid)?.slice(11, 15) ?? [];
  return times.reduce((sum, ticks) => sum + Number(ticks), 0);
}

/** From the third one on, the state. Undefined when there is no such process. */
function statFields(sys: Sys, pid: number): string[] | undefined {
  let text: string | undefined;
  try {
    text = readFileIfExists(sys, `/proc/${pid}/stat`);
  } catch (error) {
    if (isErrno(error, ESRCH)) return undefined;
    throw error;
  }
  if (text === undefined) return undefined;
  // The command name is in parentheses and may hold spaces and parentheses itself: fields are counted from the last one.
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** A process's end, as `waitid` reports it. */
export interface ExitStatus {
  readonly pid: number;
  /** Exit code, or the number of the signal that ended it. */
  readonly status: number;
  readonly signaled: boolean;
}

/** What a shell would report: the exit code, or 128 + signal. */
export function shellStatus(exit: ExitStatus): number {
  return exit.signaled ? 128 + exit.status : exit.status;
}

function wait(sys: Sys, idType: number, id: number, options: number): ExitStatus | undefined {
  const info = new ArrayBuffer(SIGINFO_BYTES);
  const result = tryCall(sys, 'waitid', idType, id, info, WEXITED | options, null);
  if (result === -ECHILD) return undefined;
  if (result < 0) throw syscallError({ syscall: 'waitid', errno: -result, object: `process ${id}` });
  return decodeExit(info);
}

export const SIGINFO_BYTES = 128;

/** Reads the `siginfo_t` that waitid(2) filled in; undefined when nothing had ended. */
export function decodeExit(info: ArrayBuffer): ExitStatus | undefined {
  const view = new DataView(info);
  const pid = view.getInt32(16, true);
  if (pid === 0) return undefined;
  return { pid, status: view.getInt32(24, true), signaled: view.getInt32(8, true) !== CLD_EXITED };
}

/** Reaps a child, waiting for its end. Undefined when it is not ours (or somebody reaped it). */
export function waitForExit(sys: Sys, pid: number): ExitStatus | undefined {
  return wait(sys, P_PID, pid, 0);
}

/** Reaps a child by its pidfd if it has ended. */
export function pollExit(sys: Sys, pidfd: number): ExitStatus | undefined {
  return wait(sys, P_PIDFD, pidfd, WNOHANG);
}

/** Reaps any child that has ended; undefined when there is none. */
export function reapAny(sys: Sys): ExitStatus | undefined {
  return wait(sys, 0, 0, WNOHANG);
}

/** Sends a signal by pidfd, which a reused pid cannot misdirect. Returns false when the process is gone. */
export function pidfdKill(sys: Sys, pidfd: number, signal: number): boolean {
  const result = tryCall(sys, 'pidfd_send_signal', pidfd, signal, null, 0);
  if (result === -ESRCH) return false;
  if (result < 0) throw syscallError({ syscall: 'pidfd_send_signal', errno: -result, object: `signal ${signal}` });
  return true;
}

/** Kills a child and reaps it. Nothing happens when it is gone. */
export function killAndReap(sys: Sys, pid: number): void {
  if (pid <= 0) return;
  tryCall(sys, 'kill', pid, SIGKILL);
  waitForExit(sys, pid);
}

/** Runs `body` with a pidfd of the process, closed afterwards. */
export function withPidfd<T>(sys: Sys, pid: number, body: (pidfd: number) => T): T {
  const pidfd = pidfdOpen(sys, pid);
  try {
    return body(pidfd);
  } finally {
    close(sys, pidfd);
  }
}
