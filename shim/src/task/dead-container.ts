/**
 * What is left of a container whose shim does not answer: killed, deleted, unmounted, forgotten. For the command that containerd runs then, on either
 * engine; no process of ours need be there.
 */
import { RuntimeError } from '../../../runtime/src/base/errors.ts';
import { listDirectory, readFileIfExists, rmdir, unlink } from '../../../runtime/src/linux/files.ts';
import { lstat } from '../../../runtime/src/linux/stat.ts';
import { lazyAgentImage } from '../../../runtime/src/operations/context/context.ts';
import { deleteContainer } from '../../../runtime/src/operations/delete.ts';
import { parseContainerId } from '../../../runtime/src/spec/container-id.ts';
import { Store } from '../../../runtime/src/state/store.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { buryChildren, deadChildren, keepersIn } from './keeper.ts';
import { unmountAll } from './mounts.ts';
import { podDirectory } from './pod-directory.ts';
import { waitStatusOfZombie } from './zombie.ts';

/** What a killed process ends with. */
const KILLED = 137;
const DIGITS = /^\d+$/;

export interface DeadContainer {
  readonly id: string;
  /** containerd's directory for it; '' when it was not told. */
  readonly bundle: string;
  /** Where the Task service keeps what it knows of its containers. */
  readonly tasks: string;
  /** The runtime's root directory, when the service has left nothing. */
  readonly root: string;
  /** Directory of the keepers' sockets. */
  readonly keepers: string;
}

export interface End {
  readonly pid: number;
  readonly exitStatus: number;
  /** Nanoseconds since 1970. */
  readonly exitedAt: bigint;
}

interface Remembered {
  readonly root: string | undefined;
  readonly bundle: string | undefined;
  readonly pid: number;
  readonly startTime: number;
  /** Of all its processes. */
  readonly pids: readonly number[];
  readonly end: { readonly status: number; readonly at: bigint } | undefined;
}

/** What is gone already is no error. Warnings are of what could not be undone; the rest is done all the same. */
export function deleteDeadContainer(sys: Sys, container: DeadContainer, warn: (text: string) => void): End {
  const pods = podDirectory(container.tasks);
  const end = deleteOne(sys, container, warn);
  return lstat(sys, `${pods}/${container.id}`) === undefined ? end : deleteOne(sys, { ...container, tasks: pods }, warn);
}

function deleteOne(sys: Sys, container: DeadContainer, warn: (text: string) => void): End {
  const { id, tasks } = container;
  parseContainerId(id);
  const known = remember(readFileIfExists(sys, `${tasks}/${id}/task.json`));
  const context = {
    ...{ sys, warn, agentImage: lazyAgentImage(sys), store: new Store(sys, known.root ?? container.root) },
    caller: { stdio: [0, 1, 2] as const, preservedFds: [], extraEnvironment: [] },
  };
  const bundle = container.bundle || known.bundle;
  const waitStatus = known.pid > 0 ? waitStatusOfZombie(sys, known.pid, known.startTime) : undefined;
  for (const step of [
    () => deleteContainer(context, { id, force: true }),
    () => (bundle ? unmountAll(sys, `${bundle}/rootfs`) : undefined),
    () => removeTree(sys, `${tasks}/${id}`),
    () => buryDead(sys, container, known.pids),
  ]) {
    try {
      step();
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      warn(error.message);
    }
  }
  return {
    pid: known.pid,
    exitStatus: known.end?.status ?? (waitStatus === undefined ? KILLED : statusOfWait(waitStatus)),
    exitedAt: known.end?.at ?? BigInt(Date.now()) * 1_000_000n,
  };
}

/** As a shell would say it. */
function statusOfWait(waitStatus: number): number {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? (waitStatus >> 8) & 0xff : 128 + signal;
}

/** Their keeper has nobody else who would: with the last container it ends. */
function buryDead(sys: Sys, { keepers, tasks }: DeadContainer, pids: readonly number[]): void {
  const isLast = lstat(sys, tasks) === undefined || listDirectory(sys, tasks).length === 0;
  for (const keeper of keepersIn(sys, keepers)) {
    const dead = deadChildren(sys, keeper.pid).filter((pid) => isLast || pids.includes(pid));
    if (dead.length > 0) buryChildren(sys, keepers, keeper, dead);
  }
}

/** From our own file, of which a later version may have changed the shape. */
function remember(text: string | undefined): Remembered {
  const record: unknown = text === undefined ? undefined : JSON.parse(text);
  const processes = property(record, 'processes');
  const list: readonly unknown[] = Array.isArray(processes) ? processes : [];
  const init = list.find((process) => property(process, 'execId') === '');
  const end = property(init, 'end');
  const status = property(end, 'status');
  const at = property(end, 'at');
  const pid = property(init, 'pid');
  return {
    root: textOf(property(record, 'root')),
    bundle: textOf(property(record, 'bundle')),
    pid: typeof pid === 'number' ? pid : 0,
    startTime: Number(property(init, 'startTime')),
    pids: list.map((process) => Number(property(process, 'pid'))).filter((one) => one > 0),
    end: typeof status === 'number' && typeof at === 'string' && DIGITS.test(at) ? { status, at: BigInt(at) } : undefined,
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A directory of ours, with what the service has put there: files, pipes, no directories in it. */
function removeTree(sys: Sys, path: string): void {
  if (lstat(sys, path) === undefined) return;
  for (const name of listDirectory(sys, path)) unlink(sys, `${path}/${name}`);
  rmdir(sys, path);
}
