/**
 * create: a bundle becomes a container that waits at its start gate (runtime.md, "Create").
 *
 *     directory and record ─▶ cgroup ─▶ init in its namespaces ─▶ prepare: mounts, devices
 *       ─▶ prestart, createRuntime, createContainer hooks ─▶ enter: names, sysctls, masks, the new root
 *       ─▶ become: user, capabilities ─▶ find the executable ─▶ leave the last program for `start` ─▶ gate
 *
 * What fails takes back all that was done before it.
 */
import { RuntimeError } from '../base/errors.ts';
import type { Cgroup } from '../cgroups/create.ts';
import { undoCreate } from '../cgroups/create.ts';
import { killAll } from '../cgroups/processes.ts';
import { removeCgroup } from '../cgroups/remove.ts';
import { saveProgram } from '../init/saved-program.ts';
import { tryCall } from '../linux/call.ts';
import { close, readFile, replaceFile, writeKernelFile } from '../linux/files.ts';
import { killAndReap, processStat, SIGKILL } from '../linux/processes.ts';
import { isSeparate } from '../plan/namespaces.ts';
import { type Plan, planContainer } from '../plan/plan.ts';
import { executeProgram } from '../process/execute.ts';
import { findExecutable } from '../process/lookup.ts';
import { parseContainerId } from '../spec/container-id.ts';
import { loadConfig } from '../spec/load.ts';
import type { ValidConfig } from '../spec/valid.ts';
import type { ContainerRecord } from '../state/record.ts';
import { type ContainerDirectory, START_PROGRAM } from '../state/store.ts';
import { makeCgroup, ownCgroupDirectory } from './cgroup.ts';
import { specState } from './container-state.ts';
import type { Context } from './context.ts';
import { processEnvironment } from './environment.ts';
import { openGate, waitAtGate } from './gate.ts';
import { runContainerHooks, runRuntimeHooks } from './hooks.ts';
import { gatherHostFacts } from './host-facts.ts';
import { type Launched, launchInit } from './launch.ts';
import { openPrepared } from './prepared.ts';
import { runSteps, type StepSettings } from './run-steps.ts';
import { Undo } from './undo.ts';

export interface CreateOptions {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  /** Written when the container is created, and only then. */
  readonly pidFile?: string;
  /** Connected socket that takes the terminal; needed exactly when the process has one. The caller closes it. */
  readonly consoleFd?: number;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
}

/** A created container. Init is a child of this process. */
export interface Created {
  readonly record: ContainerRecord;
  readonly config: ValidConfig;
}

const CONFIG = 'config.json';
const PID_FILE_MODE = 0o644;

export function create(context: Context, options: CreateOptions): Created {
  parseContainerId(options.id);
  const text = readFile(context.sys, `${options.bundle}/${CONFIG}`);
  const { config, warnings } = loadConfig(text);
  for (const warning of warnings) context.warn(`${CONFIG}: ${warning.path}: ${warning.message}`);
  checkConsole(config, options);
  const undo = new Undo();
  try {
    const directory = context.store.create(options.id);
    undo.push(() => directory.release());
    undo.push(() => directory.remove());
    directory.writeRecord(firstRecord(context, config, options));
    directory.writeConfig(text);
    const record = createIn(context, options, config, directory, undo);
    directory.release();
    return { record, config };
  } catch (error) {
    undo.run();
    throw error;
  }
}

function checkConsole(config: ValidConfig, options: CreateOptions): void {
  const terminal = config.process?.terminal === true;
  if (terminal && options.consoleFd === undefined) {
    throw new RuntimeError('console', 'cannot allocate tty if tsrun will detach without setting console socket', { configPath: 'process.terminal' });
  }
  if (!terminal && options.consoleFd !== undefined) {
    throw new RuntimeError('console', 'cannot use console socket if tsrun will not detach or allocate tty', { configPath: 'process.terminal' });
  }
}

function firstRecord(context: Context, config: ValidConfig, options: CreateOptions): ContainerRecord {
  const root = config.root?.path ?? '';
  const { startContainer, poststart, poststop } = config.hooks ?? {};
  return {
    ociVersion: config.ociVersion,
    id: options.id,
    bundle: options.bundle,
    rootfs: root.startsWith('/') ? root : `${options.bundle}/${root}`,
    annotations: config.annotations ?? {},
    created: new Date().toISOString(),
    owner: tryCall(context.sys, 'getuid'),
    pid: 0,
    startTime: 0,
    preservedFds: context.caller.preservedFds.length,
    hooks: { startContainer, poststart, poststop },
  };
}

function createIn(context: Context, options: CreateOptions, config: ValidConfig, directory: ContainerDirectory, undo: Undo): ContainerRecord {
  const { sys } = context;
  let record = firstRecord(context, config, options);
  const cgroup = makeCgroup(context, config, options.id);
  if (cgroup !== undefined) {
    undo.push(() => {
      killAll(sys, cgroup.directory, SIGKILL);
      removeCgroup(sys, cgroup.directory);
      undoCreate(sys, cgroup);
    });
    record = { ...record, cgroup: { directory: cgroup.directory, driver: 'cgroupfs', created: cgroup.created } };
    directory.writeRecord(record);
  }
  const host = gatherHostFacts(sys, options.bundle, cgroup?.directory ?? ownCgroupDirectory(sys));
  const plan = planContainer(config, host, { id: options.id, noPivot: options.noPivot === true, noNewKeyring: options.noNewKeyring === true });
  for (const warning of plan.warnings) context.warn(warning);
  const launched = launch(context, options, plan, directory, cgroup, undo);
  record = withProcess(context, record, launched.init.pid);
  directory.writeRecord(record);
  setUp(context, config, plan, launched, record);
  leaveForStart(context, plan, launched, directory);
  if (options.pidFile !== undefined) replaceFile(sys, options.pidFile, String(record.pid), { mode: PID_FILE_MODE });
  launched.init.release();
  if (cgroup !== undefined) close(sys, cgroup.fd);
  return record;
}

function launch(
  context: Context,
  options: CreateOptions,
  plan: Plan,
  directory: ContainerDirectory,
  cgroup: Cgroup | undefined,
  undo: Undo,
): Launched {
  const { sys } = context;
  const gateFd = openGate(sys, directory);
  const preparedFds = openPrepared(context, plan);
  try {
    const launched = launchInit(context, {
      namespaces: plan.namespaces,
      cgroupFd: cgroup?.fd,
      gateFd,
      consoleFd: options.consoleFd,
      preparedFds,
    });
    undo.push(() => {
      launched.init.release();
      killAndReap(sys, launched.init.pid);
    });
    return launched;
  } finally {
    for (const fd of [gateFd, ...preparedFds]) close(sys, fd);
  }
}

function withProcess(context: Context, record: ContainerRecord, pid: number): ContainerRecord {
  const stat = processStat(context.sys, pid);
  if (stat === undefined) throw new RuntimeError('agent-gone', 'the init process died at once');
  return { ...record, pid, startTime: stat.startTime };
}

function setUp(context: Context, config: ValidConfig, plan: Plan, launched: Launched, record: ContainerRecord): void {
  const { init, fds } = launched;
  const settings: StepSettings = { arch: context.sys.arch, fds, separateMounts: isSeparate(plan.namespaces, 'mount') };
  if (plan.oomScoreAdj !== undefined) writeKernelFile(context.sys, `/proc/${init.pid}/oom_score_adj`, String(plan.oomScoreAdj));
  const hooks = config.hooks ?? {};
  const state = specState(record, 'creating');
  const before = [hooks.prestart, hooks.createRuntime, hooks.createContainer].some((list) => (list ?? []).length > 0);
  if (before) {
    runSteps(init, plan.prepare, settings);
    runRuntimeHooks(context, 'prestart', hooks.prestart, state);
    runRuntimeHooks(context, 'createRuntime', hooks.createRuntime, state);
    runContainerHooks(context, 'createContainer', hooks.createContainer, state, init.pid);
    runSteps(init, [...plan.enter, ...plan.become], settings);
  } else {
    // One exchange with init instead of two.
    runSteps(init, [...plan.prepare, ...plan.enter, ...plan.become], settings);
  }
}

function leaveForStart(context: Context, plan: Plan, launched: Launched, directory: ContainerDirectory): void {
  const { sys, caller } = context;
  const { init, fds } = launched;
  const path = findExecutable(init, sys.arch, plan.execute);
  const env = processEnvironment(init, fds, plan.execute.env, caller.extraEnvironment);
  directory.writeFile(START_PROGRAM, saveProgram(sys, executeProgram({ plan: plan.execute, path, env, fds })));
  waitAtGate(sys, init, fds);
}
