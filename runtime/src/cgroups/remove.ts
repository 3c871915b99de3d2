/** Removing a container's cgroup. */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { EBUSY, ENOENT, errnoText } from '../linux/errno.ts';
import { AT_FDCWD, AT_REMOVEDIR } from '../linux/open-flags.ts';
import { monotonicMs, sleepMs } from '../linux/poll.ts';
import type { Sys } from '../sys/sys.ts';
import { processes } from './processes.ts';
import { walkTree } from './tree.ts';

export interface RemoveOptions {
  /** How long to wait for dying processes. Default: 2 s. */
  readonly timeoutMs?: number;
  /** Ancestors that `createCgroup` made (`Cgroup.created`): removed too if nobody else uses them. */
  readonly created?: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 2000;
const FIRST_WAIT_MS = 0.1;
const LONGEST_WAIT_MS = 20;

/**
 * Removes a cgroup with the cgroups that the container made below it, children first. Processes are not killed: call `killAll` before. Since a
 * killed process is in its cgroup until it has really ended, busy cgroups are tried again for a while. A cgroup that is gone is no error.
 *
 * @throws RuntimeError `cgroup-busy` with the number of processes left, `cgroup-remove`
 */
export function removeCgroup(sys: Sys, directory: string, options: RemoveOptions = {}): void {
  const first = rmdir(sys, directory);
  // EROFS and EACCES come even for a path that does not exist: the walk tells the one from the other.
  if (first !== 0) removeBusy(sys, directory, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  for (const ancestor of options.created?.toReversed() ?? []) rmdir(sys, ancestor);
}

function removeBusy(sys: Sys, directory: string, timeoutMs: number): void {
  const deadline = monotonicMs(sys) + timeoutMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    if (!walkTree(sys, directory, { leave: (parentFd, name) => rmdir(sys, name, parentFd) })) return;
    const result = rmdir(sys, directory);
    if (result === 0) return;
    if (result !== -EBUSY) throw new RuntimeError('cgroup-remove', `cannot remove cgroup ${directory}: ${errnoText(-result)}`);
    if (monotonicMs(sys) >= deadline) throw stillBusy(sys, directory, timeoutMs);
    sleepMs(sys, waitMs);
  }
}

/** Returns 0 when the cgroup is gone, or the negated errno. */
function rmdir(sys: Sys, path: string, at: number = AT_FDCWD): number {
  const result = tryCall(sys, 'unlinkat', at, path, AT_REMOVEDIR);
  return result === -ENOENT ? 0 : result;
}

function stillBusy(sys: Sys, directory: string, timeoutMs: number): RuntimeError {
  const pids = processes(sys, directory, { recursive: true });
  return new RuntimeError(
    'cgroup-busy',
    `cannot remove cgroup ${directory}: ${errnoText(EBUSY)}: ${pids.length} process(es) in it after ${timeoutMs} ms${pids.length === 0 ? '' : `: ${pids.slice(0, 10).join(' ')}`}`,
    { hint: `echo 1 > ${directory}/cgroup.kill` },
  );
}
