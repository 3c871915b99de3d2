/** start: the container's program takes the place of init (runtime.md, "Start"). */
import { RuntimeError } from '../base/errors.ts';
import { agentFds } from '../init/agent-fds.ts';
import { loadProgram, type SavedProgram } from '../init/saved-program.ts';
import { close, open, readAll } from '../linux/files.ts';
import type { ContainerRecord } from '../state/record.ts';
import { type ContainerDirectory, START_PROGRAM } from '../state/store.ts';
import type { Sys } from '../sys/sys.ts';
import { executeProcess } from './assemble/execution.ts';
import { passGate } from './assemble/gate.ts';
import { runContainerHooks, runRuntimeHooks } from './assemble/hooks.ts';
import { awaitReady, listenForNotifications } from './assemble/notify.ts';
import { currentStatus, specState } from './context/container-state.ts';
import type { Context } from './context/context.ts';
import { destroy } from './delete.ts';

export function start(context: Context, id: string): void {
  const directory = context.store.open(id);
  try {
    const record = directory.readRecord();
    if (record === undefined) throw new RuntimeError('status', 'cannot start a container that is being created');
    checkCreated(context, record, directory);
    const notifySocket = listenForNotifications(context, directory);
    startIn(context, record, directory);
    directory.release();
    // Other commands are free to act on the container while it gets ready.
    if (notifySocket !== undefined) awaitReady(context, notifySocket, record.pid);
  } finally {
    directory.release();
  }
}

function checkCreated(context: Context, record: ContainerRecord, directory: ContainerDirectory): void {
  const status = currentStatus(context.sys, record, directory.hasGate());
  if (status === 'created') return;
  if (status === 'stopped') throw new RuntimeError('status', 'cannot start a container that has stopped');
  throw new RuntimeError('status', `cannot start an already running container`);
}

function startIn(context: Context, record: ContainerRecord, directory: ContainerDirectory): void {
  const { sys } = context;
  const { trace } = context;
  trace?.begin('pass the start gate');
  const saved = readStartProgram(sys, directory);
  const { init, channelFd } = passGate(sys, directory, record.pid);
  try {
    // From here on the container is not `created` any more, whatever becomes of it.
    directory.removeGate();
    trace?.next('execute');
    const hookInit = { process: init, channelFd, directoryFd: agentFds(record.preservedFds).root };
    runContainerHooks(context, 'startContainer', record.hooks.startContainer, specState(record, 'created'), hookInit);
    executeProcess(sys, { init, program: saved, record, status: 'created', filtered: record.seccomp?.loaded });
    runRuntimeHooks(context, 'poststart', record.hooks.poststart, specState(record, 'running'));
    trace?.end();
  } catch (error) {
    init.release();
    if (isHookFailure(error)) destroy(context, directory, record);
    throw error;
  } finally {
    // Without its channel an init that was not replaced by the program ends.
    init.release();
  }
}

function isHookFailure(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'hook';
}

function readStartProgram(sys: Sys, directory: ContainerDirectory): SavedProgram {
  const file = open(sys, START_PROGRAM, { at: directory.fd });
  try {
    return loadProgram(sys, readAll(sys, file, START_PROGRAM));
  } finally {
    close(sys, file);
  }
}
