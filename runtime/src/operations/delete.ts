/**
 * delete: nothing of the container stays (runtime.md, "Delete").
 *
 *     lock ─▶ kill what is left ─▶ cgroup ─▶ directory ─▶ poststop hooks
 *
 * A create that was killed, and even a delete that was, leaves a container that can be deleted: each step takes what it finds.
 */
import type { Status } from '../../../specs/runtime/state.ts';
import { RuntimeError } from '../base/errors.ts';
import { killAll } from '../cgroups/processes.ts';
import { removeCgroup } from '../cgroups/remove.ts';
import { removeGroup } from '../intel-rdt/group.ts';
import { close } from '../linux/files.ts';
import { monotonicMs, POLLIN, poll, sleepMs } from '../linux/poll.ts';
import { SIGKILL } from '../linux/processes.ts';
import { parseContainerId } from '../spec/container-id.ts';
import { isBusy } from '../state/busy.ts';
import type { ContainerRecord } from '../state/record.ts';
import { isAlive } from '../state/status.ts';
import type { ContainerDirectory } from '../state/store.ts';
import type { Sys } from '../sys/sys.ts';
import { runRuntimeHooksToTheEnd } from './assemble/hooks.ts';
import { removeForgottenCgroup } from './cgroup/forgotten-cgroup.ts';
import { stopUnitOf } from './cgroup/systemd-cgroups.ts';
import { currentStatus, specState } from './context/container-state.ts';
import type { Context } from './context/context.ts';
import { signalInit, tryPidfd } from './kill.ts';

export interface DeleteOptions {
  readonly id: string;
  /** Kills a running container, and takes a missing one for deleted. */
  readonly force: boolean;
}

/** As long as runc waits for a killed process. */
const DEADLINE_MS = 10_000;

export function deleteContainer(context: Context, { id, force }: DeleteOptions): void {
  parseContainerId(id);
  const directory = openDirectory(context, id, force);
  if (directory === undefined) return;
  try {
    const record = readRecord(directory, force);
    if (record === undefined) removeForgottenCgroup(context, directory, { kill: force });
    else stop(context, directory, record, force);
    finish(context, directory, record);
  } finally {
    directory.release();
  }
}

/**
 * Destroys a container whose start failed (runtime.md, "Lifecycle", steps 7 and 9: on to step 12). The caller has its directory locked, and
 * releases it.
 */
export function destroy(context: Context, directory: ContainerDirectory, record: ContainerRecord): void {
  stop(context, directory, record, true);
  finish(context, directory, record);
}

function finish(context: Context, directory: ContainerDirectory, record: ContainerRecord | undefined): void {
  context.trace?.begin('remove the state directory');
  directory.remove();
  context.trace?.end();
  if (record !== undefined) runRuntimeHooksToTheEnd(context, 'poststop', record.hooks.poststop, specState(record, 'stopped'));
}

/** Undefined: there is none, and that is fine. */
function openDirectory(context: Context, id: string, force: boolean): ContainerDirectory | undefined {
  if (force) breakLock(context, id);
  try {
    return context.store.open(id);
  } catch (error) {
    if (force && error instanceof RuntimeError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** A create or start that hangs has the lock: killing the container makes it fail, or at least gives it the chance to. */
function breakLock({ sys, store }: Context, id: string): void {
  const path = `${store.root}/${id}`;
  const deadline = monotonicMs(sys) + DEADLINE_MS;
  for (let waitMs = 1; isBusy(sys, path); waitMs = Math.min(waitMs * 2, 50)) {
    if (monotonicMs(sys) >= deadline) {
      throw new RuntimeError('busy', `cannot delete container ${id}: another command has been working on it for ${DEADLINE_MS / 1000} s`, {
        hint: 'it may be waiting for a hook: end that command first',
      });
    }
    try {
      killProcesses(sys, store.read(id));
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
    }
    sleepMs(sys, waitMs);
  }
}

/** Undefined for what a killed create or delete has left, and with `force` for a record that cannot be read. */
function readRecord(directory: ContainerDirectory, force: boolean): ContainerRecord | undefined {
  try {
    return directory.readRecord();
  } catch (error) {
    if (force && error instanceof RuntimeError && error.code === 'state-corrupt') return undefined;
    throw error;
  }
}

function stop(context: Context, directory: ContainerDirectory, record: ContainerRecord, force: boolean): void {
  const { sys } = context;
  const status: Status = currentStatus(sys, record, directory.hasGate());
  if (!force && (status === 'running' || status === 'paused')) {
    throw new RuntimeError('status', `cannot delete container ${record.id} that is not stopped: ${status}`, {
      hint: 'kill it first, or use delete --force',
    });
  }
  context.trace?.begin('kill what is left');
  killProcesses(sys, record);
  awaitEnd(sys, record);
  context.trace?.next('remove the cgroup');
  if (record.cgroup !== undefined) {
    stopUnitOf(sys, record.cgroup);
    removeCgroup(sys, record.cgroup.directory, { created: record.cgroup.created, timeoutMs: DEADLINE_MS });
  } else if (record.noCgroup !== true) removeForgottenCgroup(context, directory, { kill: false });
  if (record.intelRdt !== undefined) removeGroup(sys, record.intelRdt);
  context.trace?.end();
}

/** Also those that outlived an init without a pid namespace of its own. */
function killProcesses(sys: Sys, record: ContainerRecord): void {
  signalInit(sys, record, SIGKILL);
  if (record.cgroup !== undefined) killAll(sys, record.cgroup.directory, SIGKILL);
}

/** @throws RuntimeError 'still-running' */
function awaitEnd(sys: Sys, record: ContainerRecord): void {
  if (!isAlive(sys, record)) return;
  const pidfd = tryPidfd(sys, record.pid);
  if (pidfd < 0) return;
  try {
    const deadline = monotonicMs(sys) + DEADLINE_MS;
    while (isAlive(sys, record)) {
      const left = deadline - monotonicMs(sys);
      if (left <= 0) throw new RuntimeError('still-running', `container init still running: process ${record.pid} does not die`);
      poll(sys, [{ fd: pidfd, events: POLLIN }], left);
    }
  } finally {
    close(sys, pidfd);
  }
}
