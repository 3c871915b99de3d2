/** Operations, carried out on the calling thread. */

import { RuntimeError } from '../../../../runtime/src/base/errors.ts';
import { readFileIfExists } from '../../../../runtime/src/linux/files.ts';
import type { CgroupManager } from '../../../../runtime/src/operations/cgroup/cgroup-manager.ts';
import { type Caller, type Context, lazyAgentImage } from '../../../../runtime/src/operations/context/context.ts';
import { create } from '../../../../runtime/src/operations/create.ts';
import { checkpoint } from '../../../../runtime/src/operations/criu/checkpoint.ts';
import { restore } from '../../../../runtime/src/operations/criu/restore.ts';
import { deleteContainer } from '../../../../runtime/src/operations/delete.ts';
import { startExec } from '../../../../runtime/src/operations/exec.ts';
import { kill } from '../../../../runtime/src/operations/kill.ts';
import { pause, resume } from '../../../../runtime/src/operations/pause.ts';
import { recordedPlan } from '../../../../runtime/src/operations/recorded-plan.ts';
import { start } from '../../../../runtime/src/operations/start.ts';
import { update } from '../../../../runtime/src/operations/update.ts';
import type { ValidConfig } from '../../../../runtime/src/spec/valid.ts';
import type { ContainerRecord } from '../../../../runtime/src/state/record.ts';
import { Store } from '../../../../runtime/src/state/store.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { mountRootfs, unmountAll } from '../mounts.ts';
import type {
  ArgumentsOf,
  CreateArguments,
  CreatedContainer,
  DeleteArguments,
  OperationName,
  OperationTable,
  Place,
  RestoreArguments,
  ResultOf,
  Stdio,
} from './operation.ts';

/** What a thread has once, and all its operations use. */
export interface Host {
  readonly sys: Sys;
  readonly agentImage: () => number;
  readonly warn: (message: string) => void;
}

export function makeHost(sys: Sys, warn: (message: string) => void): Host {
  return { sys, agentImage: lazyAgentImage(sys), warn };
}

const NO_STREAMS: Stdio = [-1, -1, -1];

function contextFor({ sys, agentImage, warn }: Host, { root }: Pick<Place, 'root'>, stdio: Stdio = NO_STREAMS): Context {
  const caller: Caller = { stdio, preservedFds: [], extraEnvironment: [] };
  return { sys, store: new Store(sys, root), caller, warn, agentImage };
}

type Performers = { readonly [Name in OperationName]: (host: Host, args: ArgumentsOf<Name>) => ResultOf<Name> };

const PERFORMERS: Performers = {
  create: performCreate,
  restore: performRestore,
  checkpoint: (host, { root, ...options }) => {
    checkpoint(contextFor(host, { root }), options);
    return null;
  },
  start: (host, place) => {
    start(contextFor(host, place), place.id);
    return null;
  },
  exec: (host, { process, stdio, consoleFd, ...place }) =>
    startExec(contextFor(host, place, stdio), { id: place.id, process, detach: true }, consoleFd),
  kill: (host, { signal, all, ...place }) => {
    kill(contextFor(host, place), { id: place.id, signal, all });
    return null;
  },
  pause: (host, place) => {
    pause(contextFor(host, place), place.id);
    return null;
  },
  resume: (host, place) => {
    resume(contextFor(host, place), place.id);
    return null;
  },
  update: (host, { resources, ...place }) => {
    update(contextFor(host, place), place.id, resources);
    return null;
  },
  delete: performDelete,
};

/** @throws as the library's operation does */
export function perform<Name extends OperationName>(host: Host, name: Name, args: ArgumentsOf<Name>): ResultOf<Name> {
  const performer: (host: Host, args: OperationTable[Name]['args']) => OperationTable[Name]['result'] = PERFORMERS[name];
  return performer(host, args);
}

function performCreate(host: Host, args: CreateArguments): CreatedContainer {
  return withRootfs(host, args, () => {
    const { id, bundle, consoleFd, noPivot, noNewKeyring } = args;
    const cgroupManager = cgroupManagerOf(host, args);
    const { record, config } = create(contextFor(host, args, args.stdio), { id, bundle, consoleFd, noPivot, noNewKeyring, cgroupManager });
    return createdContainer(record, config);
  });
}

function performRestore(host: Host, args: RestoreArguments): CreatedContainer {
  return withRootfs(host, args, () => {
    const { id, bundle, noPivot, checkpoint: imagePath, workPath } = args;
    const context = contextFor(host, args, args.stdio);
    restore(context, { id, bundle, noPivot, imagePath, workPath, detach: true, cgroupManager: cgroupManagerOf(host, args) });
    const record = context.store.read(id);
    if (record === undefined) throw new RuntimeError('not-found', `container ${id} ended as soon as it was restored`);
    return createdContainer(record, recordedPlan(context, record).config);
  });
}

function createdContainer({ pid, startTime, cgroup }: ContainerRecord, { linux }: ValidConfig): CreatedContainer {
  const pidNamespace = linux?.namespaces?.find(({ type }) => type === 'pid');
  const outlivesInit = pidNamespace === undefined || (pidNamespace.path ?? '') !== '';
  return { pid, startTime, cgroup: cgroup?.directory, outlivesInit };
}

function cgroupManagerOf({ sys }: Host, { systemdCgroup, bundle }: Pick<CreateArguments, 'systemdCgroup' | 'bundle'>): CgroupManager {
  return systemdCgroup || isSystemdPath(sys, bundle) ? 'systemd' : 'cgroupfs';
}

/** Where the body fails, nothing stays mounted. */
function withRootfs<T>({ sys }: Host, args: Pick<CreateArguments, 'bundle' | 'rootfs'>, body: () => T): T {
  const rootfs = `${args.bundle}/rootfs`;
  const mounted = args.rootfs.length > 0;
  if (mounted) mountRootfs(sys, rootfs, args.rootfs);
  try {
    return body();
  } catch (error) {
    if (mounted) unmountAll(sys, rootfs);
    throw error;
  }
}

function performDelete(host: Host, { force, rootfs, ...place }: DeleteArguments): null {
  try {
    deleteContainer(contextFor(host, place), { id: place.id, force });
  } catch (error) {
    // A hook that failed at start has destroyed it already.
    if (!(error instanceof RuntimeError && error.code === 'not-found')) throw error;
  }
  if (rootfs !== undefined) unmountAll(host.sys, rootfs);
  return null;
}

/** Docker gives a runtime that is not runc no options: the form of the path, `slice:prefix:name`, tells its cgroup driver. */
function isSystemdPath(sys: Sys, bundle: string): boolean {
  const text = readFileIfExists(sys, `${bundle}/config.json`) ?? '';
  return /"cgroupsPath"\s*:\s*"[^"/:]*:[^"/:]*:[^"/:]+"/.test(text);
}
