/** A running container stands still while its files are copied: by its cgroup, or, where a user's container has none, by stopping all its processes. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isInUserNamespace } from '../../../../runtime/src/linux/user-namespace.ts';
import type { Container } from '../../container/containers.ts';
import { hasErrorCode } from '../../container/files.ts';
import type { Context } from '../context.ts';

/** @throws ContainerError where it cannot be held */
export async function whileStill<T>(context: Context, { record, state }: Container, action: () => Promise<T>): Promise<T> {
  if (state.status !== 'running') return await action();
  const { supervise } = await context.shim();
  let release = async () => {
    await supervise.Unpause({ id: record.Id });
  };
  try {
    await supervise.Pause({ id: record.Id });
  } catch (error) {
    const stopped = isInUserNamespace(await context.sys()) ? stopAll(state.pid) : undefined;
    if (stopped === undefined) throw error;
    release = async () => {
      for (const pid of stopped) signal(pid, 'SIGCONT');
    };
  }
  try {
    return await action();
  } finally {
    await release();
  }
}

/** New ones may come until the last one has stopped. Those that have stopped before are left as they are. Undefined where the processes are not the container's alone. */
function stopAll(init: number): number[] | undefined {
  const namespace = pidNamespace(String(init));
  if (namespace === undefined || namespace === pidNamespace('self')) return undefined;
  const seen = new Set<number>();
  const stopped: number[] = [];
  for (;;) {
    const found = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && pidNamespace(name) === namespace)
      .map(Number)
      .filter((pid) => !seen.has(pid));
    if (found.length === 0) return stopped;
    for (const pid of found) {
      seen.add(pid);
      if (!isStopped(pid) && signal(pid, 'SIGSTOP')) stopped.push(pid);
    }
  }
}

function pidNamespace(name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${name}/ns/pid`);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** `T` in proc_pid_stat(5), after the name in parentheses. */
function isStopped(pid: number): boolean {
  try {
    return /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (hasErrorCode(error, 'ESRCH')) return false;
    throw error;
  }
}
