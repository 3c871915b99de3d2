/** The container's system call filter: prepared before anything is made, loaded by the process itself, its listener handed to the seccomp agent. */

import type { Seccomp } from '../../../../specs/runtime/linux/seccomp.ts';
import { type ContainerProcessState, SECCOMP_FD_NAME, type State } from '../../../../specs/runtime/state.ts';
import { RuntimeError, SyscallError } from '../../base/errors.ts';
import type { InitProcess } from '../../init/init-process.ts';
import { runHandingOver } from '../../init/listener.ts';
import { close } from '../../linux/files.ts';
import { connectUnix, sendWithFds } from '../../linux/sockets.ts';
import { type FilterLoad, filterProgram, letsInitWait } from '../../process/load-filter.ts';
import { type Filter, prepareFilter } from '../../seccomp/filter.ts';
import { notifies, SECCOMP_PATH } from '../../seccomp/profile.ts';
import type { ContainerRecord, FilterRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import { specState } from '../context/container-state.ts';
import { isPrivileged } from '../context/host-facts.ts';

const CACHE = '/run/tsrun-cache';

/** @throws RuntimeError 'seccomp', 'seccomp-library' */
export function planFilter(sys: Sys, seccomp: Seccomp | undefined): Filter | undefined {
  return seccomp === undefined ? undefined : prepareFilter(sys, seccomp, cacheDirectory(sys));
}

/** A user without a directory for such things has no cache. */
function cacheDirectory(sys: Sys): string | undefined {
  if (isPrivileged(sys)) return CACHE;
  const prefix = 'XDG_RUNTIME_DIR=';
  const runtime = sys.environ.find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? '';
  return runtime.startsWith('/') ? `${runtime}/tsrun-cache` : undefined;
}

/** What those who start processes later must know of the filter. */
export function filterRecord(seccomp: Seccomp | undefined): FilterRecord | undefined {
  if (seccomp === undefined) return undefined;
  const { listenerPath, listenerMetadata } = seccomp;
  if (!notifies(seccomp) || listenerPath === undefined) return {};
  return { listenerPath, ...(listenerMetadata === undefined ? {} : { listenerMetadata }) };
}

export interface ListenerOwner {
  /** Of the process that the filter is loaded in. */
  readonly pid: number;
  readonly state: State;
  readonly metadata: string | undefined;
}

/**
 * Connects to the seccomp agent and runs `body` with a function that gives it a listener, once, and ends the connection: some agents wait for that.
 * Who names a wrong socket hears of it before anything is executed.
 */
export function withSeccompAgent<T>(sys: Sys, path: string, owner: ListenerOwner, body: (send: (listener: number) => void) => T): T {
  let socket = connectAgent(sys, path);
  const disconnect = (): void => {
    if (socket >= 0) close(sys, socket);
    socket = -1;
  };
  try {
    const text = JSON.stringify(processState(owner));
    return body((listener) => {
      sendWithFds(sys, socket, sys.encode(text), [listener], `the seccomp agent at ${path}`);
      disconnect();
    });
  } finally {
    disconnect();
  }
}

/**
 * Loads the filter before the end of create, as runc does it, where that makes a difference and the filter permits init to wait behind it.
 * @returns whether init has the filter
 */
export function loadEarly(
  sys: Sys,
  init: InitProcess,
  load: Omit<FilterLoad, 'filter'> & { readonly filter: Filter | undefined },
  record: ContainerRecord,
): boolean {
  const { filter } = load;
  const hooks = (record.hooks.startContainer ?? []).length > 0;
  if (filter === undefined || !(filter.notifies || hooks) || !letsInitWait({ ...load, filter }, hooks)) return false;
  const program = filterProgram({ ...load, filter });
  const { listenerPath, listenerMetadata: metadata } = record.seccomp ?? {};
  if (!filter.notifies || listenerPath === undefined) init.run(program);
  else {
    const owner = { pid: init.pid, state: specState(record, 'creating'), metadata };
    withSeccompAgent(sys, listenerPath, owner, (send) => runHandingOver(sys, init, program, send));
  }
  return true;
}

function connectAgent(sys: Sys, path: string): number {
  try {
    return connectUnix(sys, path);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new RuntimeError('seccomp-agent', `failed to connect with seccomp agent specified in the seccomp profile: ${error.message}`, {
      configPath: `${SECCOMP_PATH}.listenerPath`,
      cause: error,
    });
  }
}

function processState({ pid, state, metadata }: ListenerOwner): ContainerProcessState {
  return {
    ociVersion: state.ociVersion,
    fds: [SECCOMP_FD_NAME],
    pid,
    ...(metadata === undefined ? {} : { metadata }),
    state,
  };
}
