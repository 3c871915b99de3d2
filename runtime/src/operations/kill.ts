/** kill: a signal to the container's process (runtime.md, "Kill"). */
import { RuntimeError } from '../base/errors.ts';
import { killAll, processes } from '../cgroups/processes.ts';
import { ESRCH, isErrno } from '../linux/errno.ts';
import { close, readFileIfExists } from '../linux/files.ts';
import { pidfdKill, pidfdOpen, SIGKILL } from '../linux/processes.ts';
import { parseContainerId } from '../spec/container-id.ts';
import type { ContainerRecord } from '../state/record.ts';
import { isAlive } from '../state/status.ts';
import type { Sys } from '../sys/sys.ts';
import type { LightContext } from './context/light-context.ts';
import { notRunning } from './context/observe.ts';

export interface KillOptions {
  readonly id: string;
  readonly signal: number;
  /** Every process of the container. It is then no error when there is none. */
  readonly all: boolean;
}

/** It does not wait for other commands: a container whose start hangs in a hook can be killed. */
export function kill(context: LightContext, { id, signal, all }: KillOptions): void {
  parseContainerId(id);
  const record = context.store.read(id);
  const { sys } = context;
  if (all) {
    if (record.cgroup === undefined) signalInit(sys, record, signal);
    else killAll(sys, record.cgroup.directory, signal);
    return;
  }
  if (signal === SIGKILL && outlivesInit(sys, record)) {
    killAll(sys, record.cgroup?.directory ?? '', SIGKILL);
    return;
  }
  if (!signalInit(sys, record, signal)) throw notRunning();
}

/**
 * Signals the init process and no other: the descriptor names one process for good, and the start time, read while it is open, tells whether it
 * is the one that was recorded. Returns false when it is gone.
 */
export function signalInit(sys: Sys, record: ContainerRecord, signal: number): boolean {
  if (record.pid <= 0) return false;
  const pidfd = tryPidfd(sys, record.pid);
  if (pidfd < 0) return false;
  try {
    return isAlive(sys, record) && pidfdKill(sys, pidfd, signal);
  } finally {
    close(sys, pidfd);
  }
}

/** A descriptor of the process, or -1 when there is none. */
export function tryPidfd(sys: Sys, pid: number): number {
  try {
    return pidfdOpen(sys, pid);
  } catch (error) {
    if (isErrno(error, ESRCH)) return -1;
    throw error;
  }
}

/**
 * Where init is not pid 1 of a pid namespace, the kernel does not kill the others with it: they are the container's too, and killing the
 * container means them, even when init has ended before.
 */
function outlivesInit(sys: Sys, record: ContainerRecord): boolean {
  if (record.cgroup === undefined) return false;
  if (isAlive(sys, record)) return !isNamespaceInit(sys, record.pid);
  return processes(sys, record.cgroup.directory, { recursive: true }).length > 0;
}

function isNamespaceInit(sys: Sys, pid: number): boolean {
  const status = readFileIfExists(sys, `/proc/${pid}/status`) ?? '';
  return /^NSpid:.*\s1$/m.test(status);
}

/** @throws RuntimeError 'signal' */
export function unknownSignal(text: string): RuntimeError {
  return new RuntimeError('signal', `unknown signal ${JSON.stringify(text)}`, { hint: 'give a number, TERM or SIGTERM' });
}
