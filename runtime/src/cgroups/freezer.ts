/** Stopping and continuing all processes of a cgroup. */
import { RuntimeError } from '../base/errors.ts';
import { ENODEV, ENOENT, isErrno } from '../linux/errno.ts';
import { readFile, readFileIfExists, writeKernelFile } from '../linux/files.ts';
import type { Sys } from '../sys/sys.ts';
import { waitForEvents } from './events.ts';

export interface FreezeOptions {
  /** How long to wait for the last process. Default: 10 s, as runc. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Freezes a cgroup with its descendants and returns when every process has stopped. A cgroup that does not get there in time is thawed again.
 *
 * @throws RuntimeError `cgroup-freeze-timeout`; SyscallError when there is no such cgroup
 */
export function freeze(sys: Sys, directory: string, options: FreezeOptions = {}): void {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  writeKernelFile(sys, `${directory}/cgroup.freeze`, '1');
  if (waitForEvents(sys, directory, timeoutMs, (events) => events.frozen)) return;
  writeKernelFile(sys, `${directory}/cgroup.freeze`, '0');
  throw new RuntimeError(
    'cgroup-freeze-timeout',
    `cannot freeze cgroup ${directory}: not all of its processes stopped within ${timeoutMs} ms; it is thawed again`,
    { hint: `look for processes in uninterruptible sleep (state D) among those in ${directory}/cgroup.procs` },
  );
}

/**
 * Thaws a cgroup and returns when its processes run again.
 *
 * @throws RuntimeError `cgroup-thaw-timeout`, as when an ancestor is frozen; SyscallError when there is no such cgroup
 */
export function thaw(sys: Sys, directory: string, options: FreezeOptions = {}): void {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  writeKernelFile(sys, `${directory}/cgroup.freeze`, '0');
  if (waitForEvents(sys, directory, hasFrozenAncestor(sys, directory) ? 0 : timeoutMs, (events) => !events.frozen)) return;
  throw new RuntimeError('cgroup-thaw-timeout', `cgroup ${directory} is thawed, but its processes are still stopped`, {
    hint: 'an ancestor is frozen: thaw that one (echo 0 > cgroup.freeze)',
  });
}

/** Whether the cgroup itself is frozen or being frozen. Its ancestors do not count: resuming the container would not thaw them. */
export function isFrozen(sys: Sys, directory: string): boolean {
  try {
    return readFile(sys, `${directory}/cgroup.freeze`).trim() === '1';
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) return false;
    throw error;
  }
}

function hasFrozenAncestor(sys: Sys, directory: string): boolean {
  for (let end = directory.lastIndexOf('/'); end > 0; end = directory.lastIndexOf('/', end - 1)) {
    // The root of the hierarchy has no such file, nor has anything above it.
    const text = readFileIfExists(sys, `${directory.slice(0, end)}/cgroup.freeze`);
    if (text === undefined) return false;
    if (text.trim() === '1') return true;
  }
  return false;
}
