/** The processes of a cgroup: listing, joining, signalling. */
import { RuntimeError } from '../base/errors.ts';
import { call, tryCall } from '../linux/call.ts';
import { EINVAL, ENODEV, ENOENT, EOPNOTSUPP, isErrno, syscallError } from '../linux/errno.ts';
import { close, open, readFile, writeKernelFile } from '../linux/files.ts';
import { O_WRONLY } from '../linux/open-flags.ts';
import { sleepMs } from '../linux/poll.ts';
import { SIGKILL } from '../linux/processes.ts';
import type { Sys } from '../sys/sys.ts';
import { freeze, isFrozen, thaw } from './freezer.ts';
import { walkTree } from './tree.ts';

/**
 * The pids in a cgroup, and with `recursive` in everything below it, in no certain order. Zombies are not among them. A process of another
 * pid namespace that ours cannot see is left out. A cgroup that is gone has none.
 */
export function processes(sys: Sys, directory: string, options: { readonly recursive: boolean }): number[] {
  const pids: number[] = [];
  if (options.recursive) walkTree(sys, directory, { enter: (fd) => pids.push(...readPids(sys, fd)) });
  else pids.push(...readPids(sys, undefined, `${directory}/`));
  return [...new Set(pids)];
}

function readPids(sys: Sys, at: number | undefined, prefix = ''): number[] {
  let text: string;
  try {
    text = readFile(sys, `${prefix}cgroup.procs`, at);
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) return [];
    // A threaded cgroup's processes are known only to its domain; the threads have the ids that are left.
    if (!isErrno(error, EOPNOTSUPP)) throw error;
    text = readFile(sys, `${prefix}cgroup.threads`, at);
  }
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

const JOIN_ATTEMPTS = 5;

/**
 * Moves a process into a cgroup, given a descriptor of its directory.
 *
 * @throws SyscallError; EBUSY when the cgroup passes controllers on to children and so can hold no processes
 */
export function joinCgroup(sys: Sys, directoryFd: number, pid: number): void {
  const fd = open(sys, 'cgroup.procs', { flags: O_WRONLY, at: directoryFd });
  const bytes = sys.encode(String(pid));
  try {
    // EINVAL: the task is so new that the kernel cannot move it yet (TASK_NEW).
    for (let attempt = 1; attempt < JOIN_ATTEMPTS; attempt++) {
      const result = tryCall(sys, 'write', fd, bytes, bytes.byteLength);
      if (result > 0) return;
      if (result !== -EINVAL) throw syscallError({ syscall: 'write', errno: -result, object: `process ${pid} to cgroup.procs` });
      sleepMs(sys, 10 * attempt);
    }
    call(sys, 'write', `process ${pid} to cgroup.procs`, fd, bytes, bytes.byteLength);
  } finally {
    close(sys, fd);
  }
}

/**
 * Signals every process of a cgroup and its descendants. SIGKILL is the kernel's work (cgroup.kill), which no fork can outrun and freezing
 * does not delay. For other signals the cgroup is frozen meanwhile, so that no process is missed; one that was frozen before stays so, and its
 * processes get the signal when they are thawed. A cgroup that is gone has nobody to signal.
 */
export function killAll(sys: Sys, directory: string, signal: number): void {
  try {
    if (signal === SIGKILL) {
      writeKernelFile(sys, `${directory}/cgroup.kill`, '1');
      return;
    }
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) return;
    // A threaded cgroup cannot be killed as a whole.
    if (!isErrno(error, EOPNOTSUPP)) throw error;
  }
  const frozenByUs = tryFreeze(sys, directory);
  try {
    for (const pid of processes(sys, directory, { recursive: true })) tryCall(sys, 'kill', pid, signal);
  } finally {
    if (frozenByUs) unlessGone(() => thaw(sys, directory));
  }
}

const FREEZE_FOR_SIGNAL_MS = 2000;

/** Returns false when it was frozen before, is gone, or holds a process that does not stop: then the signals must do without. */
function tryFreeze(sys: Sys, directory: string): boolean {
  if (isFrozen(sys, directory)) return false;
  try {
    freeze(sys, directory, { timeoutMs: FREEZE_FOR_SIGNAL_MS });
    return true;
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) return false;
    if (error instanceof RuntimeError && error.code === 'cgroup-freeze-timeout') return false;
    throw error;
  }
}

function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isErrno(error, ENOENT, ENODEV)) throw error;
  }
}
