/** checkpoint: CRIU writes the processes of a container into a directory of images; they end there, unless they are left running. */
import { RuntimeError } from '../../base/errors.ts';
import { thaw } from '../../cgroups/freezer.ts';
import type { CriuOptions, RequestType } from '../../criu/rpc.ts';
import { call, tryCall } from '../../linux/call.ts';
import { close } from '../../linux/files.ts';
import { O_RDWR, O_WRONLY } from '../../linux/open-flags.ts';
import { stat } from '../../linux/stat.ts';
import { parseContainerId } from '../../spec/container-id.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { Sys } from '../../sys/sys.ts';
import { currentStatus } from '../context/container-state.ts';
import type { Context } from '../context/context.ts';
import { destroy } from '../delete.ts';
import { type RecordedPlan, recordedPlan } from '../recorded-plan.ts';
import { type Criu, criuError, type FailedWork, withCriu } from './criu-process.ts';
import { dumpedMounts } from './external-mounts.ts';
import {
  checkFeature,
  checkVersion,
  commonOptions,
  EXTERNAL_NAMESPACES,
  type ImageDirectories,
  type ImageOptions,
  logPath,
  makeImageDirectories,
  silenceMs,
  withImage,
} from './image.ts';
import { describeStreams, externalStreams, writeStreams } from './streams.ts';

export interface CheckpointOptions extends ImageOptions {
  readonly id: string;
  readonly leaveRunning?: boolean | undefined;
  /** Only memory, of a container that goes on: a dump after it needs less. */
  readonly preDump?: boolean | undefined;
  /** An earlier pre-dump, relative to the image directory. */
  readonly parentPath?: string | undefined;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  readonly tcpSkipInFlight?: boolean | undefined;
  /** Gets a zero byte when lazy pages can be fetched. */
  readonly statusFd?: number | undefined;
}

const LOG = 'dump.log';

export function checkpoint(context: Context, options: CheckpointOptions): void {
  const { sys } = context;
  parseContainerId(options.id);
  if (options.statusFd !== undefined) checkStatusFd(sys, options.statusFd);
  const directory = context.store.open(options.id);
  try {
    const record = directory.readRecord();
    const status = record === undefined ? 'creating' : currentStatus(sys, record, directory.hasGate());
    if (record === undefined || (status !== 'running' && status !== 'paused')) {
      throw new RuntimeError('status', `container cannot be checkpointed in ${status} state`);
    }
    makeImageDirectories(sys, options);
    checkParent(sys, options);
    try {
      withImage(sys, options, '', (directories) => dump(context, options, record, directories));
    } catch (error) {
      // A CRIU that was killed has left it frozen.
      if (status === 'running' && record.cgroup !== undefined) thaw(sys, record.cgroup.directory);
      throw error;
    }
    // Its processes are in the image now.
    if (options.leaveRunning !== true && options.preDump !== true) destroy(context, directory, record);
  } finally {
    directory.release();
  }
}

function checkParent(sys: Sys, { parentPath, imagePath }: CheckpointOptions): void {
  if (parentPath === undefined) return;
  if (parentPath.startsWith('/')) {
    throw new RuntimeError('checkpoint', `--parent-path ${parentPath} must be relative to the image directory`);
  }
  if (stat(sys, `${imagePath}/${parentPath}`) === undefined) {
    throw new RuntimeError('checkpoint', `--parent-path: no such file or directory: ${imagePath}/${parentPath}`);
  }
}

const F_GETFL = 3;

function checkStatusFd(sys: Sys, fd: number): void {
  const flags = tryCall(sys, 'fcntl', fd, F_GETFL);
  if (flags < 0) throw new RuntimeError('checkpoint', `invalid --status-fd argument ${fd}: bad file descriptor`);
  if ((flags & (O_WRONLY | O_RDWR)) === 0) throw new RuntimeError('checkpoint', `invalid --status-fd argument ${fd}: not writable`);
}

function dump(context: Context, options: CheckpointOptions, record: ContainerRecord, directories: ImageDirectories): void {
  const { sys } = context;
  const type: RequestType = options.preDump === true ? 'pre-dump' : 'dump';
  context.trace?.begin('ask criu', { type });
  const recorded = recordedPlan(context, record);
  const streams = describeStreams(sys, record.pid);
  const request = dumpOptions(sys, options, record, { ...directories, recorded, streams });
  const failed = { type: type === 'dump' ? 'DUMP' : 'PRE_DUMP', logPath: logPath(options, LOG) };
  // With lazy pages it waits, having answered nothing, until somebody has fetched them.
  const patience = options.lazyPages === true ? undefined : silenceMs(options);
  withCriu(context, { ownStreams: options.shellJob, failed, silenceMs: patience }, (criu) => {
    checkVersion(criu.connection, [
      ['--status-fd', options.statusFd !== undefined, 31_600],
      // What an older one restores may gain privileges. Better not to end what cannot be restored as it was.
      ['process.noNewPrivileges', type === 'dump' && recorded.config.process?.noNewPrivileges === true, 31_900],
    ]);
    if (type === 'pre-dump') checkFeature(criu.connection, 'memory tracking', '--pre-dump');
    if (options.lazyPages === true) checkFeature(criu.connection, 'lazy pages', '--lazy-pages');
    if (type === 'dump') writeStreams(sys, directories.imagesFd, streams);
    perform(sys, criu, { type, request, options, failed });
  });
  context.trace?.end();
}

interface Dump {
  readonly type: RequestType;
  readonly request: CriuOptions;
  readonly options: CheckpointOptions;
  readonly failed: FailedWork;
}

function perform(sys: Sys, criu: Criu, { type, request, options, failed }: Dump): void {
  const answer = criu.connection.perform(type, request, ({ moment }) => {
    if (moment === 'status-ready' && options.statusFd !== undefined) tellReady(sys, options.statusFd);
  });
  if (!answer.success) throw criuError(sys, criu, { ...failed, errno: answer.errno, message: answer.message });
}

/** As CRIU itself would. */
function tellReady(sys: Sys, fd: number): void {
  call(sys, 'write', `--status-fd ${fd}`, fd, new ArrayBuffer(1), 1);
  close(sys, fd);
}

interface Basis extends ImageDirectories {
  readonly recorded: RecordedPlan;
  readonly streams: readonly string[];
}

function dumpOptions(sys: Sys, options: CheckpointOptions, record: ContainerRecord, basis: Basis): CriuOptions {
  const { recorded, streams, imagesFd, workFd } = basis;
  const whole = options.preDump !== true;
  return {
    ...commonOptions(sys, options, recorded.config, { imagesFd, workFd }),
    logFile: LOG,
    pid: record.pid,
    root: record.rootfs,
    leaveRunning: options.leaveRunning === true || !whole ? true : undefined,
    tcpSkipInFlight: options.tcpSkipInFlight,
    parentImage: options.parentPath,
    trackMemory: options.parentPath !== undefined || !whole ? true : undefined,
    pageServer: options.pageServer,
    freezeCgroup: record.cgroup?.directory,
    externalMounts: whole ? dumpedMounts(sys, record.pid, recorded.plan) : [],
    external: [...externalNamespaces(sys, record, recorded), ...(whole ? externalStreams(streams) : [])],
  };
}

/** Namespaces that the container has joined are not dumped with it. */
function externalNamespaces(sys: Sys, { pid }: ContainerRecord, { plan }: RecordedPlan): string[] {
  return plan.namespaces.join.flatMap(({ type }) => {
    if (type !== 'network' && type !== 'pid') return [];
    const { word, key } = EXTERNAL_NAMESPACES[type];
    const inode = stat(sys, `/proc/${pid}/ns/${word}`)?.inode;
    return inode === undefined ? [] : [`${word}[${inode}]:${key}`];
  });
}
