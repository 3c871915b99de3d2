/** run: create and start in one, and in the foreground also wait and delete. */
import { type ConsolePair, connectConsoleSocket, consolePair, receiveTerminal } from '../console/console-socket.ts';
import { TerminalCopy } from '../console/terminal-copy.ts';
import { close } from '../linux/files.ts';
import { openSignalSource, type SignalSource } from '../linux/signal-source.ts';
import { parseContainerId } from '../spec/container-id.ts';
import type { ContainerRecord } from '../state/record.ts';
import { type Assembled, assemble } from './assemble/assemble.ts';
import { executeProcess } from './assemble/execution.ts';
import { runContainerHooks, runRuntimeHooks } from './assemble/hooks.ts';
import { awaitReady, listenForNotifications, Notifications } from './assemble/notify.ts';
import { type Announcements, announce, withPidfdSocket } from './caller/announce.ts';
import { checkConsole } from './caller/console.ts';
import { becomeSubreaper, foreground, reapOrphans } from './caller/foreground.ts';
import type { CgroupManager } from './cgroup/cgroup-manager.ts';
import { type Bundle, loadBundle } from './context/bundle.ts';
import { specState } from './context/container-state.ts';
import type { Context } from './context/context.ts';
import { deleteContainer } from './delete.ts';

export interface RunOptions extends Announcements {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  /** Return when the container's process runs. */
  readonly detach?: boolean | undefined;
  /** Do not delete the container when it has ended. */
  readonly keep?: boolean | undefined;
  /** Leave orphans of the container to the system's init. */
  readonly noSubreaper?: boolean | undefined;
  /** Takes the terminal of a detached container. */
  readonly consoleSocketPath?: string | undefined;
  readonly noPivot?: boolean | undefined;
  readonly noNewKeyring?: boolean | undefined;
  /** Default: cgroupfs. */
  readonly cgroupManager?: CgroupManager | undefined;
}

/** Returns the exit status of the container's process (128 + signal), or 0 for a detached one. */
export function run(context: Context, options: RunOptions): number {
  parseContainerId(options.id);
  const bundle = loadBundle(context, options.bundle);
  const detached = options.detach === true;
  checkConsole(bundle.config, { detached, socket: options.consoleSocketPath !== undefined });
  return detached ? runDetached(context, options, bundle) : runInForeground(context, options, bundle);
}

function runDetached(context: Context, options: RunOptions, bundle: Bundle): number {
  const { sys } = context;
  const path = options.consoleSocketPath;
  const consoleFd = path === undefined ? undefined : connectConsoleSocket(sys, path);
  try {
    const { record, notifySocket } = startNew(context, options, bundle, { consoleFd, takeTerminal: () => undefined });
    if (notifySocket !== undefined) awaitReady(context, notifySocket, record.pid);
    return 0;
  } finally {
    if (consoleFd !== undefined) close(sys, consoleFd);
  }
}

function runInForeground(context: Context, options: RunOptions, bundle: Bundle): number {
  const { sys } = context;
  if (options.noSubreaper !== true) becomeSubreaper(sys);
  // From here on a signal waits until the container can have it.
  const signals = openSignalSource(sys);
  try {
    if (bundle.config.process?.terminal !== true) return stay(context, options, bundle, signals);
    const pair = consolePair(sys);
    try {
      return stay(context, options, bundle, signals, pair);
    } finally {
      pair.close();
    }
  } finally {
    signals.close();
  }
}

function stay(context: Context, options: RunOptions, bundle: Bundle, signals: SignalSource, pair?: ConsolePair): number {
  const { sys, caller } = context;
  let terminal: TerminalCopy | undefined;
  try {
    // It has its size before the container's process looks at it.
    const takeTerminal = (): void => {
      if (pair !== undefined) terminal = new TerminalCopy(sys, receiveTerminal(sys, pair), caller.stdio);
    };
    const started = startNew(context, options, bundle, { consoleFd: pair?.theirs, takeTerminal });
    return stayWith(context, options, started, { signals, terminal });
  } finally {
    terminal?.close();
  }
}

/** What staying with a container takes. */
export interface Means {
  readonly signals: SignalSource;
  readonly terminal: TerminalCopy | undefined;
}

/** Waits for the container's end, deletes it unless it is to be kept, and returns its exit status. */
export function stayWith(
  context: Context,
  options: Pick<RunOptions, 'id' | 'keep'>,
  { record, notifySocket }: Started,
  means: Means,
): number {
  const attendant = notifySocket === undefined ? undefined : new Notifications(context, notifySocket, { mainPid: 'self' });
  try {
    context.trace?.begin('wait for the end of the container');
    const status = foreground(context, { pid: record.pid, attendant, ...means });
    context.trace?.end();
    return status;
  } finally {
    attendant?.close();
    if (options.keep !== true) cleanUp(context, options.id);
  }
}

/** The container's end counts, not what becomes of its remains. */
function cleanUp(context: Context, id: string): void {
  try {
    deleteContainer(context, { id, force: true });
    reapOrphans(context.sys);
  } catch (error) {
    context.warn(`cannot delete container ${id}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export interface Started {
  readonly record: ContainerRecord;
  /** Where the container tells that it is ready, if somebody wants to hear of it. */
  readonly notifySocket: number | undefined;
}

interface TerminalWish {
  /** Connected socket that takes the terminal. */
  readonly consoleFd: number | undefined;
  /** Called when the terminal is there, and nothing runs at it yet. */
  takeTerminal(): void;
}

/** Without start gate and saved program: init goes on at once. Nothing is left when it fails. */
function startNew(context: Context, options: RunOptions, bundle: Bundle, { consoleFd, takeTerminal }: TerminalWish): Started {
  const { sys } = context;
  const { id, noPivot, noNewKeyring, cgroupManager } = options;
  const detached = options.detach === true;
  let notifySocket: number | undefined;
  try {
    const record = withPidfdSocket(sys, options, (pidfdSocket) =>
      assemble(context, { id, consoleFd, noPivot, noNewKeyring, cgroupManager, gate: false, detached }, bundle, (assembled) => {
        notifySocket = listenForNotifications(context, assembled.directory);
        takeTerminal();
        execute(context, assembled);
        announce(sys, assembled.record, options, pidfdSocket);
      }),
    );
    return { record, notifySocket };
  } catch (error) {
    if (notifySocket !== undefined) close(sys, notifySocket);
    throw error;
  }
}

function execute(context: Context, { record, init, fds, program }: Assembled): void {
  const { startContainer, poststart } = record.hooks;
  const hookInit = { process: init, channelFd: fds.nextChannel, directoryFd: fds.root };
  runContainerHooks(context, 'startContainer', startContainer, specState(record, 'created'), hookInit);
  executeProcess(context.sys, { init, program, record, status: 'created', filtered: record.seccomp?.loaded });
  runRuntimeHooks(context, 'poststart', poststart, specState(record, 'running'));
}
