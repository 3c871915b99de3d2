/** exec: another process in a running container (config.md, "Process"). */
import { RuntimeError } from '../base/errors.ts';
import { openSubCgroup } from '../cgroups/sub-cgroup.ts';
import { connectConsoleSocket, consolePair, receiveTerminal } from '../console/console-socket.ts';
import { TerminalCopy } from '../console/terminal-copy.ts';
import { call } from '../linux/call.ts';
import { close, openDirectory, readFileIfExists, writeKernelFile } from '../linux/files.ts';
import { killAndReap, pidfdOpen } from '../linux/processes.ts';
import { openSignalSource, type SignalSource } from '../linux/signal-source.ts';
import { planConsole } from '../plan/plan.ts';
import { type ExecutePlan, planProcess } from '../plan/process.ts';
import { listMask, planMemoryPolicy, planPersonality } from '../plan/scheduling.ts';
import type { Step } from '../plan/steps.ts';
import { executeProgram } from '../process/execute.ts';
import { planLookup } from '../process/lookup.ts';
import { parseContainerId } from '../spec/container-id.ts';
import { loadConfig } from '../spec/load.ts';
import type { ValidConfig, ValidProcess } from '../spec/valid.ts';
import type { ContainerRecord } from '../state/record.ts';
import { isAlive } from '../state/status.ts';
import type { Sys } from '../sys/sys.ts';
import { type Entered, enterContainer } from './assemble/enter.ts';
import { beginEnvironment } from './assemble/environment.ts';
import { executeProcess } from './assemble/execution.ts';
import { raiseHardLimits } from './assemble/hard-limits.ts';
import { compileSteps } from './assemble/run-steps.ts';
import { planFilter } from './assemble/seccomp.ts';
import { streamsToOwn } from './assemble/stdio.ts';
import { type Announcements, announce, withPidfdSocket } from './caller/announce.ts';
import { checkConsole } from './caller/console.ts';
import { foreground } from './caller/foreground.ts';
import { joinRdtGroup } from './cgroup/intel-rdt.ts';
import { currentStatus } from './context/container-state.ts';
import type { Context } from './context/context.ts';
import { gatherHostFacts } from './context/host-facts.ts';
import { changedProcess, completedProcess, type ProcessChanges } from './exec-process.ts';

export interface ExecOptions extends Announcements, ProcessChanges {
  readonly id: string;
  /** The whole process (`--process`). Without it, it is the container's own with the changes. */
  readonly process?: ValidProcess | undefined;
  /** Return when the process runs. */
  readonly detach?: boolean | undefined;
  /** Takes the terminal of a detached process. */
  readonly consoleSocketPath?: string | undefined;
  /** A cgroup below the container's own. */
  readonly cgroup?: string | undefined;
  readonly ignorePaused?: boolean | undefined;
}

/** Returns the exit status of the process (128 + signal), or 0 for a detached one. */
export function exec(context: Context, options: ExecOptions): number {
  const { sys } = context;
  const target = findTarget(context, options);
  const detached = options.detach === true;
  checkConsole({ ...target.config, process: target.process }, { detached, socket: options.consoleSocketPath !== undefined });
  if (!detached) return execInForeground(context, options, target);
  const path = options.consoleSocketPath;
  const consoleFd = path === undefined ? undefined : connectConsoleSocket(sys, path);
  try {
    startProcess(context, options, target, consoleFd);
    return 0;
  } finally {
    if (consoleFd !== undefined) close(sys, consoleFd);
  }
}

/**
 * As a detached `exec`, for a caller that stays: returns the pid of the process, which is a child of this one.
 * @param consoleFd connected socket that takes the terminal; needed exactly when the process has one. The caller closes it.
 */
export function startExec(context: Context, options: ExecOptions, consoleFd?: number): number {
  const target = findTarget(context, options);
  checkConsole({ ...target.config, process: target.process }, { detached: true, socket: consoleFd !== undefined });
  return startProcess(context, options, target, consoleFd);
}

function execInForeground(context: Context, options: ExecOptions, target: ExecTarget): number {
  const { sys } = context;
  // From here on a signal waits until the process can have it.
  const signals = openSignalSource(sys);
  try {
    if (target.process.terminal !== true) return foreground(context, { pid: startProcess(context, options, target, undefined), signals });
    return execWithTerminal(context, options, target, signals);
  } finally {
    signals.close();
  }
}

function execWithTerminal(context: Context, options: ExecOptions, target: ExecTarget, signals: SignalSource): number {
  const { sys, caller } = context;
  const pair = consolePair(sys);
  let terminal: TerminalCopy | undefined;
  try {
    const pid = startProcess(context, options, target, pair.theirs, () => {
      // It has its size before the process looks at it.
      terminal = new TerminalCopy(sys, receiveTerminal(sys, pair), caller.stdio);
    });
    return foreground(context, { pid, terminal, signals });
  } finally {
    terminal?.close();
    pair.close();
  }
}

/** What is executed, and where. */
interface ExecTarget {
  readonly record: ContainerRecord;
  readonly config: ValidConfig;
  readonly process: ValidProcess;
}

function findTarget(context: Context, options: ExecOptions): ExecTarget {
  const { store, sys } = context;
  parseContainerId(options.id);
  const record = store.read(options.id);
  const status = currentStatus(sys, record, store.hasGate(options.id));
  if (status === 'creating') throw new RuntimeError('status', 'cannot exec in a container that is being created');
  if (status === 'stopped') throw new RuntimeError('status', 'cannot exec in a stopped container');
  if (status === 'paused' && options.ignorePaused !== true) {
    throw new RuntimeError('status', 'cannot exec in a paused container (use --ignore-paused to override)');
  }
  context.trace?.begin('read the configuration');
  const { config } = loadConfig(store.readConfig(options.id));
  context.trace?.end();
  if (options.process !== undefined) return { record, config, process: completedProcess(config, options.process) };
  const { process, warnings } = changedProcess(config, options);
  for (const warning of warnings) context.warn(`process: ${warning.path}: ${warning.message}`);
  return { record, config, process };
}

/** `ready` is called when the terminal is there and nothing runs at it yet. */
function startProcess(
  context: Context,
  options: ExecOptions,
  target: ExecTarget,
  consoleFd: number | undefined,
  ready: () => void = () => undefined,
): number {
  const { sys } = context;
  return withPidfdSocket(sys, options, (pidfdSocket) => {
    context.trace?.begin('enter the container');
    const entered = enterTarget(context, options, target, consoleFd);
    const { process } = entered;
    try {
      context.trace?.next('become the user, execute');
      become(context, options, target, entered, ready);
      context.trace?.end();
      announce(sys, process, options, pidfdSocket, 'setns');
      return process.pid;
    } catch (error) {
      process.release();
      killAndReap(sys, process.pid);
      throw error;
    } finally {
      process.release();
    }
  });
}

function enterTarget(context: Context, options: ExecOptions, { record, process }: ExecTarget, consoleFd: number | undefined): Entered {
  const { sys } = context;
  const pidfd = pidfdOpen(sys, record.pid);
  let cgroupFd: number | undefined;
  try {
    // Once there is a pidfd, a pid that is still init's is the pidfd's.
    if (!isAlive(sys, record)) throw new RuntimeError('status', 'cannot exec in a stopped container');
    cgroupFd = openCgroup(sys, record, options.cgroup);
    const prepare = (pid: number): void => setAffinity(sys, pid, process, 'initial');
    return enterContainer(context, { record, pidfd, cgroupFd, consoleFd, prepare });
  } finally {
    close(sys, pidfd);
    if (cgroupFd !== undefined) close(sys, cgroupFd);
  }
}

function openCgroup(sys: Sys, record: ContainerRecord, subPath: string | undefined): number | undefined {
  if (record.cgroup === undefined) {
    if (subPath === undefined) return undefined;
    throw new RuntimeError('cgroup-sub-path', `bad sub cgroup path: ${subPath}: the container has no cgroup of its own`, {
      configPath: '--cgroup',
    });
  }
  const fd = openDirectory(sys, record.cgroup.directory);
  if (subPath === undefined) return fd;
  try {
    return openSubCgroup(sys, fd, subPath);
  } finally {
    close(sys, fd);
  }
}

/** CPUs before (`initial`) and after (`final`) the process is in the cgroup (config.md, "execCPUAffinity"). */
function setAffinity(sys: Sys, pid: number, process: ValidProcess, when: 'initial' | 'final'): void {
  const cpus = process.execCPUAffinity?.[when] ?? '';
  if (cpus === '') return;
  const mask = new BigUint64Array(listMask(cpus));
  call(sys, 'sched_setaffinity', `process.execCPUAffinity.${when} ${cpus}`, pid, mask.byteLength, mask.buffer);
}

/** The process becomes what it shall be, by the same steps as a container's own, and executes. */
function become(context: Context, options: ExecOptions, target: ExecTarget, entered: Entered, ready: () => void): void {
  const { sys, caller } = context;
  const { process } = target;
  const { process: init, fds, namespaces } = entered;
  joinRdtGroup(sys, target.record, init.pid);
  setAffinity(sys, init.pid, process, 'final');
  if (process.oomScoreAdj !== undefined) writeKernelFile(sys, `/proc/${init.pid}/oom_score_adj`, String(process.oomScoreAdj));
  if (namespaces.includes('user')) raiseHardLimits(sys, init.pid, process.rlimits ?? []);
  const { steps, execute } = planSteps(context, options, target, entered);
  const filter = planFilter(sys, execute.seccomp);
  const { program, check } = compileSteps(steps, { arch: sys.arch, fds, separateMounts: namespaces.includes('mount') });
  const lookup = planLookup(sys.arch, execute);
  // One exchange for all that only looks; what is asked after something has failed is asked in vain.
  const done = init.begin(program);
  const looked = init.begin(lookup.program);
  const environment = beginEnvironment(sys, { init, fds, uid: process.user.uid }, execute.env, caller.extraEnvironment);
  check(done());
  const path = lookup.found(looked());
  const env = environment();
  ready();
  const last = executeProgram({ plan: execute, path, env, fds, channelFd: fds.nextChannel, arch: sys.arch, filter });
  executeProcess(sys, { init, program: last, record: target.record, status: 'running' });
}

interface ExecPlan {
  readonly steps: readonly Step[];
  readonly execute: ExecutePlan;
}

function planSteps(
  context: Context,
  options: ExecOptions,
  { record, config, process }: ExecTarget,
  { namespaces, process: init }: Entered,
): ExecPlan {
  const { sys } = context;
  const linux = config.linux ?? {};
  const userNamespace = namespaces.includes('user');
  const facts = gatherHostFacts(sys, record.bundle, record.cgroup?.directory);
  const planned = planProcess(process, {
    host: { ...facts, ownStreams: streamsToOwn(context, process, options.detach === true) },
    userNamespace,
    setGroupsDenied: userNamespace && readFileIfExists(sys, `/proc/${init.pid}/setgroups`)?.trim() === 'deny',
    seccomp: linux.seccomp,
  });
  for (const warning of planned.warnings) context.warn(warning);
  return {
    steps: [
      ...(userNamespace ? [{ kind: 'become-root' } as const] : []),
      { kind: 'session' },
      ...(record.noNewKeyring === true ? [] : [{ kind: 'keyring', name: `_ses.${record.id}`, findable: false } as const]),
      ...planConsole(process, false),
      ...(linux.personality === undefined ? [] : [planPersonality(linux.personality)]),
      ...(linux.memoryPolicy === undefined ? [] : [planMemoryPolicy(linux.memoryPolicy)]),
      ...planned.steps,
    ],
    execute: planned.execute,
  };
}
