/**
 * What `create` and `run` have in common: from a bundle to an init process that has become what the container's process will be, and waits for
 * the program that executes it.
 *
 *     directory and record ─▶ cgroup ─▶ init in its namespaces ─▶ prepare: mounts, devices
 *                                       (meanwhile: device policy, system call filter, programs)
 *       ─▶ prestart, createRuntime, createContainer hooks ─▶ enter: names, sysctls, masks, the new root
 *       ─▶ become: user, capabilities ─▶ find the executable ─▶ finish: leave the last program for `start`, or run it
 *
 * What fails takes back all that was done before it. If the runtime itself is killed, init ends with its channel, and `delete` finds the rest.
 */
import { RuntimeError } from '../../base/errors.ts';
import { type AgentFds, agentFds } from '../../init/agent-fds.ts';
import type { InitProcess } from '../../init/init-process.ts';
import type { Program } from '../../init/program.ts';
import { tryCall } from '../../linux/call.ts';
import { close, writeKernelFile } from '../../linux/files.ts';
import { killAndReap, processStat } from '../../linux/processes.ts';
import { isSeparate } from '../../plan/namespaces.ts';
import { type Plan, planContainer } from '../../plan/plan.ts';
import type { Step } from '../../plan/steps.ts';
import { executeProgram } from '../../process/execute.ts';
import { planLookup } from '../../process/lookup.ts';
import { resolveRoot, resolveTargets } from '../../rootfs/targets.ts';
import type { Filter } from '../../seccomp/filter.ts';
import type { ValidConfig } from '../../spec/valid.ts';
import type { ContainerRecord } from '../../state/record.ts';
import type { ContainerDirectory } from '../../state/store.ts';
import type { Sys } from '../../sys/sys.ts';
import { ownCgroupDirectory, type Placed, placeWithUndo } from '../cgroup/cgroup.ts';
import type { CgroupManager } from '../cgroup/cgroup-manager.ts';
import { joinRdtGroup, makeRdtGroup } from '../cgroup/intel-rdt.ts';
import type { Bundle } from '../context/bundle.ts';
import { specState } from '../context/container-state.ts';
import type { Context } from '../context/context.ts';
import { gatherHostFacts } from '../context/host-facts.ts';
import { Undo } from '../context/undo.ts';
import { Ahead } from './ahead.ts';
import { beginEnvironment } from './environment.ts';
import { openGate } from './gate.ts';
import { raiseDescriptorLimit, raiseHardLimits } from './hard-limits.ts';
import { runContainerHooks, runRuntimeHooks, runRuntimeHooksToTheEnd, withEnvironment } from './hooks.ts';
import { type Launched, type LaunchOptions, launchInit } from './launch.ts';
import { moveNetDevices } from './net-devices.ts';
import { offerNotifySocket } from './notify.ts';
import { openPrepared, preparedBinds } from './prepared.ts';
import { type StepSettings, StepsAhead } from './run-steps.ts';
import { filterRecord, loadEarly, planFilter } from './seccomp.ts';
import { streamsToOwn } from './stdio.ts';

export interface AssembleOptions {
  readonly id: string;
  /** Init gets a start gate, to be started by another command. */
  readonly gate: boolean;
  /** The command ends while the container goes on. */
  readonly detached: boolean;
  /** Connected socket that takes the terminal; needed exactly when the process has one. The caller closes it. */
  readonly consoleFd: number | undefined;
  readonly noPivot?: boolean | undefined;
  readonly noNewKeyring?: boolean | undefined;
  /** Default: cgroupfs. */
  readonly cgroupManager?: CgroupManager | undefined;
}

/** A container that is complete but for its program. */
export interface Assembled {
  readonly record: ContainerRecord;
  /** Locked. */
  readonly directory: ContainerDirectory;
  /** A child of this process. */
  readonly init: InitProcess;
  readonly fds: AgentFds;
  /** Replaces init by the container's process. */
  readonly program: Program;
}

/** What is handed through the steps of one assembly. */
interface Work {
  readonly context: Context;
  readonly options: AssembleOptions;
  readonly bundle: Bundle;
  readonly directory: ContainerDirectory;
  readonly undo: Undo;
}

/**
 * Assembles a container and has it finished. When `finish` has returned, the channel to init is closed and the directory is unlocked; when
 * anything throws, nothing is left.
 */
export function assemble(
  context: Context,
  options: AssembleOptions,
  bundle: Bundle,
  finish: (assembled: Assembled) => void,
): ContainerRecord {
  const undo = new Undo();
  try {
    context.trace?.begin('make the state directory');
    const directory = context.store.create(options.id);
    undo.push(() => directory.release());
    undo.push(() => directory.remove());
    const work: Work = { context, options, bundle, directory, undo };
    const first = firstRecord(context, options, bundle);
    directory.writeRecord(first);
    context.trace?.end();
    const record = assembleIn(work, first, finish);
    directory.release();
    return record;
  } catch (error) {
    context.trace?.begin('take everything back');
    undo.run();
    // After a hook's failure the lifecycle goes on with the container's end (runtime.md, "Lifecycle", steps 3 to 5 and 13).
    if (error instanceof RuntimeError && error.code === 'hook') {
      runRuntimeHooksToTheEnd(
        context,
        'poststop',
        bundle.config.hooks?.poststop,
        specState(firstRecord(context, options, bundle), 'stopped'),
      );
    }
    throw error;
  }
}

export function firstRecord(context: Context, options: AssembleOptions, bundle: Bundle): ContainerRecord {
  const { config } = bundle;
  const root = config.root?.path ?? '';
  const { startContainer, poststart, poststop } = config.hooks ?? {};
  const seccomp = filterRecord(config.linux?.seccomp);
  return {
    ociVersion: config.ociVersion,
    id: options.id,
    bundle: bundle.path,
    rootfs: root.startsWith('/') ? root : `${bundle.path}/${root}`,
    annotations: config.annotations ?? {},
    created: new Date().toISOString(),
    owner: tryCall(context.sys, 'getuid'),
    pid: 0,
    startTime: 0,
    preservedFds: context.caller.preservedFds.length,
    ...(options.noNewKeyring === true ? { noNewKeyring: true } : {}),
    ...(options.cgroupManager === 'disabled' ? { noCgroup: true } : {}),
    ...(seccomp === undefined ? {} : { seccomp }),
    hooks: { startContainer, poststart, poststop },
  };
}

function assembleIn(work: Work, begun: ContainerRecord, finish: (assembled: Assembled) => void): ContainerRecord {
  const { context, options, bundle, directory } = work;
  const { sys, trace } = context;
  trace?.begin('make the cgroup');
  const first = withRdtGroup(work, begun);
  const cgroup = placeWithUndo(context, bundle.config, options, work.undo);
  const withCgroup: ContainerRecord = cgroup === undefined ? first : { ...first, cgroup: cgroup.record };
  if (cgroup !== undefined) directory.writeRecord(withCgroup);
  trace?.next('plan');
  const plan = planIn(work, cgroup);
  const fds = agentFds(context.caller.preservedFds.length, preparedBinds(plan).length);
  const ahead = planAhead(work, plan, fds, cgroup);
  trace?.next('start init in its namespaces', { namespaces: plan.namespaces.create.join(', ') });
  const launched = launch(work, plan, cgroup, { fds, meanwhile: () => beginAll(ahead) });
  const { init } = launched;
  ahead.devices.get();
  ahead.config.get();
  const filter = ahead.filter.get();
  const withInit = withProcess(context, withCgroup, init.pid);
  joinRdtGroup(sys, withInit, init.pid);
  const settled = moveNetDevices(sys, bundle.config.linux?.netDevices, launched, work.undo);
  trace?.next('prepare the root file system, hooks', { steps: plan.prepare.length });
  const done = setUp(work, plan, launched, ahead, withInit);
  // What only looks is asked at once: where the set-up fails, it is asked in vain.
  const lookup = planLookup(sys.arch, plan.execute);
  const looked = init.begin(lookup.program);
  const source = { init, fds, uid: bundle.config.process?.user.uid ?? 0 };
  const environment = beginEnvironment(sys, source, plan.execute.env, context.caller.extraEnvironment);
  trace?.next('enter the root, become the user', { steps: plan.enter.length + plan.become.length });
  done();
  trace?.next('find the executable');
  const path = lookup.found(looked());
  const env = environment();
  const settledRecord = withHookEnvironment(withInit, env);
  const { descriptorLimit } = plan.execute;
  const filtered = loadEarly(sys, init, { filter, fds, channelFd: fds.nextChannel, arch: sys.arch, descriptorLimit }, settledRecord);
  const record = filtered ? { ...settledRecord, seccomp: { ...settledRecord.seccomp, loaded: true as const } } : settledRecord;
  if (record !== withInit) directory.writeRecord(record);
  const channelFd = options.gate ? fds.channel : fds.nextChannel;
  const program = executeProgram({ plan: plan.execute, path, env, fds, channelFd, arch: sys.arch, filter: filtered ? undefined : filter });
  trace?.next(options.gate ? 'go to the start gate' : 'execute');
  finish({ record, directory, init, fds, program });
  trace?.end();
  settled();
  init.release();
  if (cgroup?.fd !== undefined) close(sys, cgroup.fd);
  return record;
}

function withRdtGroup({ context, options, bundle, undo }: Work, record: ContainerRecord): ContainerRecord {
  const intelRdt = makeRdtGroup(context.sys, bundle.config.linux, options.id, undo);
  return intelRdt === undefined ? record : { ...record, intelRdt };
}

/** The environment is known now; `start` will not look for it again. */
function withHookEnvironment(record: ContainerRecord, env: readonly string[]): ContainerRecord {
  const { startContainer } = record.hooks;
  if (startContainer?.some((hook) => hook.env === undefined) !== true) return record;
  return { ...record, hooks: { ...record.hooks, startContainer: withEnvironment(startContainer, env) } };
}

function planIn({ context, options, bundle, directory }: Work, cgroup: Placed | undefined): Plan {
  const { sys } = context;
  const config = offerNotifySocket(context, directory, bundle.config);
  const facts = gatherHostFacts(sys, bundle.path, cgroup?.record.directory ?? ownCgroupDirectory(sys));
  const host = { ...facts, ownStreams: streamsToOwn(context, config.process, options.detached) };
  const plan = planContainer(config, host, {
    id: options.id,
    noPivot: options.noPivot === true,
    noNewKeyring: options.noNewKeyring === true,
  });
  for (const warning of plan.warnings) context.warn(warning);
  return plan;
}

/** Where an image has links that lead to nothing, targets are made where they point. */
function withResolvedTargets(sys: Sys, plan: Plan): Plan {
  const root = plan.prepare.find((step) => step.kind === 'root');
  if (root === undefined) return plan;
  const resolve = (steps: readonly Step[]): readonly Step[] => resolveTargets(sys, root.path, steps);
  const prepare = resolve(plan.prepare).map((step) => (step.kind === 'root' ? resolveRoot(sys, step) : step));
  return { ...plan, prepare, enter: resolve(plan.enter) };
}

/** What is done while init comes into being, for it takes the kernel some time to make namespaces. */
interface AheadOfInit {
  /** What init does before the hooks, and what after them. */
  readonly first: StepsAhead;
  readonly last: StepsAhead;
  readonly devices: Ahead<void>;
  readonly filter: Ahead<Filter | undefined>;
  readonly config: Ahead<void>;
}

function planAhead({ context, bundle, directory }: Work, plan: Plan, fds: AgentFds, cgroup: Placed | undefined): AheadOfInit {
  const { sys } = context;
  const resolved = new Ahead(() => withResolvedTargets(sys, plan));
  const settings: StepSettings = { arch: sys.arch, fds, separateMounts: isSeparate(plan.namespaces, 'mount') };
  return {
    first: new StepsAhead(sys, () => resolved.get().prepare, settings),
    last: new StepsAhead(sys, () => [...resolved.get().enter, ...plan.become], settings),
    devices: new Ahead(() => cgroup?.limitDevices?.()),
    filter: new Ahead(() => planFilter(sys, bundle.config.linux?.seccomp)),
    config: new Ahead(() => directory.writeConfig(bundle.text)),
  };
}

/** The last steps are left: there is time for them while init is at the first. */
function beginAll({ first, devices, filter, config }: AheadOfInit): void {
  first.prepare();
  devices.begin();
  filter.begin();
  config.begin();
}

function launch(
  { context, options, directory, undo }: Work,
  plan: Plan,
  cgroup: Placed | undefined,
  { fds, meanwhile }: Pick<LaunchOptions, 'fds' | 'meanwhile'>,
): Launched {
  const { sys } = context;
  const preparedFds = openPrepared(context, preparedBinds(plan));
  let gateFd: number | undefined;
  try {
    gateFd = options.gate ? openGate(sys, directory) : undefined;
    const launched = launchInit(context, {
      fds,
      namespaces: plan.namespaces,
      cgroupFd: cgroup?.fd,
      prepare: cgroup?.enter,
      gateFd,
      consoleFd: options.consoleFd,
      preparedFds,
      meanwhile,
    });
    undo.push(() => {
      launched.init.release();
      killAndReap(sys, launched.init.pid);
    });
    return launched;
  } finally {
    for (const fd of gateFd === undefined ? preparedFds : [gateFd, ...preparedFds]) close(sys, fd);
  }
}

function withProcess(context: Context, record: ContainerRecord, pid: number): ContainerRecord {
  const stat = processStat(context.sys, pid);
  if (stat === undefined) throw new RuntimeError('agent-gone', 'the init process died at once');
  return { ...record, pid, startTime: stat.startTime };
}

function hasHooksBefore({ hooks }: ValidConfig): boolean {
  return [hooks?.prestart, hooks?.createRuntime, hooks?.createContainer].some((list) => (list ?? []).length > 0);
}

/** Returns the function that waits for the last steps: init can be sent more meanwhile. */
function setUp(work: Work, plan: Plan, launched: Launched, { first, last }: AheadOfInit, record: ContainerRecord): () => void {
  const { sys } = work.context;
  const { init } = launched;
  if (plan.oomScoreAdj !== undefined) writeKernelFile(sys, `/proc/${init.pid}/oom_score_adj`, String(plan.oomScoreAdj));
  if (isSeparate(plan.namespaces, 'user')) raiseHardLimits(sys, init.pid, work.bundle.config.process?.rlimits ?? []);
  if (plan.execute.descriptorLimit !== undefined) raiseDescriptorLimit(sys, init.pid, plan.execute.descriptorLimit);
  const prepared = first.begin(init);
  // Until it is written, init ends with the runtime, should that be killed.
  work.directory.writeRecord(record);
  if (hasHooksBefore(work.bundle.config)) {
    prepared();
    runHooksBefore(work, launched, record);
    return last.begin(init);
  }
  // The last steps are compiled while init is at the first ones.
  const done = last.begin(init);
  return () => {
    prepared();
    done();
  };
}

function runHooksBefore({ context, bundle }: Work, { init, fds }: Launched, record: ContainerRecord): void {
  const { prestart, createRuntime, createContainer } = bundle.config.hooks ?? {};
  const state = specState(record, 'creating');
  runRuntimeHooks(context, 'prestart', prestart, state);
  runRuntimeHooks(context, 'createRuntime', createRuntime, state);
  runContainerHooks(context, 'createContainer', createContainer, state, {
    process: init,
    channelFd: fds.nextChannel,
    directoryFd: fds.root,
  });
}
