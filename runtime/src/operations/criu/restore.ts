/**
 * restore: a container again, out of an image that CRIU wrote. The configuration is the caller's bundle's; the image is only believed to hold processes:
 * before they go on, what they have is compared with the configuration.
 *
 *     directory ─▶ cgroup, with CRIU in it ─▶ CRIU: namespaces ─▶ hooks ─▶ mounts, processes ─▶ compared, recorded ─▶ they go on
 */
import { RuntimeError } from '../../base/errors.ts';
import { cgroupOfProcess } from '../../cgroups/hierarchy.ts';
import { joinCgroup, killAll } from '../../cgroups/processes.ts';
import { connectConsoleSocket } from '../../console/console-socket.ts';
import { TerminalCopy } from '../../console/terminal-copy.ts';
import type { Notification } from '../../criu/connection.ts';
import type { CriuOptions } from '../../criu/rpc.ts';
import { call } from '../../linux/call.ts';
import { close, mkdirAll, open, openDirectory } from '../../linux/files.ts';
import { killAndReap, processStat, SIGKILL } from '../../linux/processes.ts';
import { openSignalSource } from '../../linux/signal-source.ts';
import { sendWithFds } from '../../linux/sockets.ts';
import { type Plan, planContainer } from '../../plan/plan.ts';
import { parseContainerId } from '../../spec/container-id.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { ContainerDirectory } from '../../state/store.ts';
import { firstRecord } from '../assemble/assemble.ts';
import { runRuntimeHooks } from '../assemble/hooks.ts';
import { announce, withPidfdSocket } from '../caller/announce.ts';
import { checkConsole } from '../caller/console.ts';
import { becomeSubreaper } from '../caller/foreground.ts';
import { placeWithUndo } from '../cgroup/cgroup.ts';
import { type Bundle, loadBundle } from '../context/bundle.ts';
import { specState } from '../context/container-state.ts';
import type { Context } from '../context/context.ts';
import { gatherHostFacts } from '../context/host-facts.ts';
import { Undo } from '../context/undo.ts';
import { type RunOptions, stayWith } from '../run.ts';
import { type Criu, criuError, type FailedWork, inheritedFd, withCriu } from './criu-process.ts';
import { restoredMounts } from './external-mounts.ts';
import {
  checkFeature,
  checkVersion,
  commonOptions,
  EXTERNAL_NAMESPACES,
  type ImageDirectories,
  type ImageOptions,
  logPath,
  silenceMs,
  withImage,
} from './image.ts';
import { makeMountPoints } from './mount-points.ts';
import { readStreams } from './streams.ts';
import { verifyRestored } from './verify.ts';

export interface RestoreOptions extends ImageOptions, Omit<RunOptions, 'noNewKeyring'> {
  /** Connections that were established are closed instead. */
  readonly tcpClose?: boolean | undefined;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
}

const LOG = 'restore.log';
const WORK_MODE = 0o700;

/** Returns the exit status of the container's process, or 0 for a detached one. */
export function restore(context: Context, options: RestoreOptions): number {
  parseContainerId(options.id);
  const bundle = loadBundle(context, options.bundle);
  const detached = options.detach === true;
  close(context.sys, openDirectory(context.sys, options.imagePath));
  checkConsole(bundle.config, { detached, socket: options.consoleSocketPath !== undefined });
  return detached ? restoreDetached(context, options, bundle) : restoreInForeground(context, options, bundle);
}

function restoreDetached(context: Context, options: RestoreOptions, bundle: Bundle): number {
  const { sys } = context;
  const path = options.consoleSocketPath;
  const consoleFd = path === undefined ? undefined : connectConsoleSocket(sys, path);
  try {
    restoreNew(context, options, bundle, (master) => {
      if (consoleFd !== undefined) sendWithFds(sys, consoleFd, sys.encode('/dev/ptmx'), [master], 'the console socket');
    });
    return 0;
  } finally {
    if (consoleFd !== undefined) close(sys, consoleFd);
  }
}

function restoreInForeground(context: Context, options: RestoreOptions, bundle: Bundle): number {
  const { sys, caller } = context;
  if (options.noSubreaper !== true) becomeSubreaper(sys);
  const signals = openSignalSource(sys);
  let terminal: TerminalCopy | undefined;
  try {
    const record = restoreNew(context, options, bundle, (master) => {
      terminal = new TerminalCopy(sys, duplicate(context, master), caller.stdio);
    });
    return stayWith(context, options, { record, notifySocket: undefined }, { signals, terminal });
  } finally {
    terminal?.close();
    signals.close();
  }
}

const F_DUPFD_CLOEXEC = 1030;

function duplicate({ sys }: Context, fd: number): number {
  return call(sys, 'fcntl', 'the terminal', fd, F_DUPFD_CLOEXEC, 0);
}

type TakeTerminal = (master: number) => void;

interface Work {
  readonly context: Context;
  readonly options: RestoreOptions;
  readonly bundle: Bundle;
  readonly directory: ContainerDirectory;
  readonly undo: Undo;
}

function restoreNew(context: Context, options: RestoreOptions, bundle: Bundle, takeTerminal: TakeTerminal): ContainerRecord {
  const { sys } = context;
  const undo = new Undo();
  try {
    return withPidfdSocket(sys, options, (pidfdSocket) => {
      const directory = context.store.create(options.id);
      undo.push(() => directory.release());
      undo.push(() => directory.remove());
      const work: Work = { context, options, bundle, directory, undo };
      const record = restoreIn(work, takeTerminal);
      announce(sys, record, options, pidfdSocket);
      directory.release();
      return record;
    });
  } catch (error) {
    undo.run();
    throw error;
  }
}

function restoreIn(work: Work, takeTerminal: TakeTerminal): ContainerRecord {
  const { context, options, bundle, directory, undo } = work;
  const { sys } = context;
  const first = firstRecord(context, { ...options, consoleFd: undefined, gate: false, detached: options.detach === true }, bundle);
  directory.writeRecord(first);
  directory.writeConfig(bundle.text);
  const placed = placeWithUndo(context, bundle.config, options, undo);
  const record: ContainerRecord = placed === undefined ? first : { ...first, cgroup: placed.record };
  directory.writeRecord(record);
  const host = gatherHostFacts(sys, bundle.path, placed?.record.directory);
  const plan = planContainer(bundle.config, host, { id: options.id, noPivot: options.noPivot === true, noNewKeyring: true });
  makeMountPoints(sys, record.rootfs, plan);
  const opened: number[] = [];
  undo.push(() => closeAll(context, opened));
  const given = whatIsGiven(work, plan, opened);
  if (options.workPath !== undefined) mkdirAll(sys, options.workPath, WORK_MODE);
  const prepare = (pid: number): void => {
    placed?.enter?.(pid);
    if (placed?.fd !== undefined) joinCgroup(sys, placed.fd, pid);
    placed?.limitDevices?.();
  };
  const failed = { type: 'RESTORE', logPath: logPath(options, LOG) };
  const done = withCriu(
    context,
    { root: record.rootfs, inherit: given.inherit, ownStreams: options.shellJob, prepare, failed, silenceMs: silenceMs(options) },
    (criu) => {
      checkVersion(criu.connection, [
        ['--lsm-profile', options.lsmProfile !== undefined, 31_600],
        ['--lsm-mount-context', options.lsmMountContext !== undefined, 31_600],
      ]);
      if (options.lazyPages === true) checkFeature(criu.connection, 'lazy pages', '--lazy-pages');
      return withImage(sys, options, criu.hostRoot, (directories) => {
        const request = restoreOptions(work, record, plan, { ...given, directories, criu });
        return perform(work, criu, { record, plan, request, takeTerminal, failed });
      });
    },
  );
  closeAll(context, opened.splice(0));
  if (placed?.fd !== undefined) close(sys, placed.fd);
  return done;
}

function closeAll({ sys }: Context, fds: readonly number[]): void {
  for (const fd of fds) close(sys, fd);
}

interface Restoration {
  readonly record: ContainerRecord;
  readonly plan: Plan;
  readonly request: CriuOptions;
  readonly takeTerminal: TakeTerminal;
  readonly failed: FailedWork;
}

function perform({ context, bundle, directory, undo }: Work, criu: Criu, restoration: Restoration): ContainerRecord {
  const { sys } = context;
  const { plan, request, takeTerminal, failed } = restoration;
  let { record } = restoration;
  let pid = 0;
  const notified = ({ moment, pid: init, fds }: Notification): void => {
    if (init !== 0 && pid === 0) {
      pid = init;
      undo.push(() => killAndReap(sys, pid));
    }
    switch (moment) {
      case 'setup-namespaces': {
        const { prestart, createRuntime } = bundle.config.hooks ?? {};
        const state = specState(record, 'creating', pid);
        runRuntimeHooks(context, 'prestart', prestart, state);
        runRuntimeHooks(context, 'createRuntime', createRuntime, state);
        break;
      }
      case 'orphan-pts-master':
        for (const master of fds.slice(0, 1)) takeTerminal(master);
        break;
      case 'pre-resume':
        try {
          verifyRestored(sys, pid, plan);
        } catch (error) {
          // CRIU takes no refusal at this moment, but what is dead does not go on.
          call(sys, 'kill', `process ${pid}`, pid, SIGKILL);
          if (record.cgroup !== undefined) killAll(sys, record.cgroup.directory, SIGKILL);
          throw error;
        }
        record = { ...record, restored: true, pid, startTime: processStat(sys, pid)?.startTime ?? 0 };
        directory.writeRecord(record);
        break;
      default:
    }
  };
  const answer = criu.connection.perform('restore', request, notified);
  if (!answer.success) {
    throw criuError(sys, criu, { ...failed, errno: answer.errno, message: answer.message });
  }
  if (record.pid === 0) throw new RuntimeError('criu', 'criu has restored a container without saying which process it is');
  return record;
}

/** What the restored processes get from outside. */
interface Given {
  /** Our descriptors, in the order of their numbers in CRIU. */
  readonly inherit: readonly number[];
  readonly inherited: readonly { readonly key: string; readonly fd: number }[];
  readonly joinNamespaces: readonly { readonly type: string; readonly path: string }[];
}

/** @param opened takes what is opened; the caller closes it */
function whatIsGiven({ context, options }: Work, plan: Plan, opened: number[]): Given {
  const { sys, caller } = context;
  const inherit: number[] = [];
  const inherited: { key: string; fd: number }[] = [];
  const give = (key: string, fd: number): void => {
    inherited.push({ key, fd: inheritedFd(inherit.length) });
    inherit.push(fd);
  };
  for (const { key, stream } of readStreams(sys, options.imagePath)) give(key, caller.stdio[stream]);
  const joinNamespaces: { type: string; path: string }[] = [];
  for (const { type, path, configPath } of plan.namespaces.join) {
    if (type === 'network' || type === 'pid') {
      const fd = open(sys, path);
      opened.push(fd);
      give(EXTERNAL_NAMESPACES[type].key, fd);
    } else if (type === 'cgroup' || type === 'mount') {
      throw new RuntimeError('checkpoint', `${configPath}: CRIU cannot restore into a ${type} namespace that is there already`, {
        configPath,
      });
    } else joinNamespaces.push({ type, path });
  }
  return { inherit, inherited, joinNamespaces };
}

function restoreOptions(
  { context, options, bundle }: Work,
  record: ContainerRecord,
  plan: Plan,
  { directories, criu, inherited, joinNamespaces }: Given & { readonly directories: ImageDirectories; readonly criu: Criu },
): CriuOptions {
  // The place of the container that was dumped becomes that of this one, in which CRIU is already.
  const cgroupRoot = record.cgroup === undefined ? undefined : cgroupOfProcess(context.sys, criu.pid);
  return {
    ...commonOptions(context.sys, options, bundle.config, directories),
    logFile: LOG,
    root: record.rootfs,
    evasiveDevices: true,
    restoreSibling: true,
    cgroupRoot,
    tcpClose: options.tcpClose,
    lsmProfile: options.lsmProfile,
    lsmMountContext: options.lsmMountContext,
    externalMounts: restoredMounts(plan),
    inherited,
    joinNamespaces,
  };
}
