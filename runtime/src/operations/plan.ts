/** plan: what create and start would do with a bundle. Nothing is made and nothing is changed; it needs no privilege. */
import type { HookName } from '../../../specs/runtime/hooks.ts';
import { cgroupOfProcess, findHierarchy } from '../cgroups/hierarchy.ts';
import { cgroupfsPath } from '../cgroups/path.ts';
import type { ResourceWrite } from '../cgroups/resources/write.ts';
import { planResources } from '../cgroups/resources.ts';
import { netDevicePath } from '../devices/net-devices.ts';
import { agentFds } from '../init/agent-fds.ts';
import type { Program } from '../init/program.ts';
import { planRdt, type RdtPlan } from '../intel-rdt/plan.ts';
import { isSeparate } from '../plan/namespaces.ts';
import { type Plan, planContainer } from '../plan/plan.ts';
import { executeProgram } from '../process/execute.ts';
import { parseContainerId } from '../spec/container-id.ts';
import type { ValidConfig } from '../spec/valid.ts';
import type { Sys } from '../sys/sys.ts';
import { compileSteps } from './assemble/run-steps.ts';
import { planFilter } from './assemble/seccomp.ts';
import { ownCgroupDirectory } from './cgroup/cgroup.ts';
import type { CgroupManager } from './cgroup/cgroup-manager.ts';
import { placeUnit } from './cgroup/systemd-cgroups.ts';
import { loadBundle } from './context/bundle.ts';
import { gatherHostFacts } from './context/host-facts.ts';
import type { LightContext } from './context/light-context.ts';

export interface PlanBundleOptions {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly cgroupManager: CgroupManager;
}

export interface PlannedCgroup {
  readonly manager: CgroupManager;
  /** Undefined where the host has no cgroup v2 hierarchy, and where none is asked for. */
  readonly directory: string | undefined;
  /** What systemd calls it. */
  readonly unit?: string;
  readonly writes: readonly ResourceWrite[];
}

/** Names on the host and in the container. */
export interface PlannedNetDevice {
  readonly from: string;
  readonly to: string;
  readonly configPath: string;
}

export interface PlannedContainer {
  readonly bundle: string;
  readonly cgroup: PlannedCgroup;
  readonly plan: Plan;
  readonly netDevices: readonly PlannedNetDevice[];
  /** The group of the resctrl file system. */
  readonly rdt: RdtPlan | undefined;
  /** Paths of the hooks by their moments. */
  readonly hooks: { readonly [Name in HookName]?: readonly string[] };
}

/** @throws RuntimeError for a configuration that is wrong, or that cannot be carried out here */
export function planBundle(context: LightContext, options: PlanBundleOptions): PlannedContainer {
  parseContainerId(options.id);
  const { sys } = context;
  const { config, path } = loadBundle(context, options.bundle);
  const cgroup = planCgroup(context, config, options);
  const host = gatherHostFacts(sys, path, cgroup.directory ?? ownCgroupDirectory(sys));
  const { id, noPivot, noNewKeyring } = options;
  const plan = planContainer(config, host, { id, noPivot, noNewKeyring });
  for (const warning of plan.warnings) context.warn(warning);
  const hooks = Object.entries(config.hooks ?? {}).map(([name, list]) => [name, list.map((hook: { path: string }) => hook.path)]);
  const { intelRdt, netDevices = {} } = config.linux ?? {};
  return {
    bundle: path,
    cgroup,
    plan,
    netDevices: Object.entries(netDevices).map(([from, { name = from }]) => ({ from, to: name, configPath: netDevicePath(from) })),
    rdt: intelRdt === undefined ? undefined : planRdt(intelRdt, id),
    hooks: Object.fromEntries(hooks),
  };
}

function planCgroup(context: LightContext, config: ValidConfig, { id, cgroupManager: manager }: PlanBundleOptions): PlannedCgroup {
  const { sys } = context;
  const { writes, warnings } = planResources(config.linux?.resources ?? {});
  if (manager === 'disabled') return { manager, directory: undefined, writes: [] };
  if (manager === 'systemd') {
    const { directory, unit = '' } = placeUnit(context, config, id).record;
    return { manager, directory, unit, writes };
  }
  for (const warning of warnings) context.warn(warning.message);
  const hierarchy = findHierarchy(sys);
  if (hierarchy === undefined) return { manager, directory: undefined, writes };
  const path = cgroupfsPath({ cgroupsPath: config.linux?.cgroupsPath, id, ownCgroup: cgroupOfProcess(sys, 'self') ?? '/' });
  return { manager, directory: `${hierarchy.mountPoint}/${path}`, writes };
}

/** The init process's programs in their order: its namespaces are made by then. */
export function planPrograms(sys: Sys, { plan }: PlannedContainer): readonly Program[] {
  const fds = agentFds(0);
  const settings = { arch: sys.arch, fds, separateMounts: isSeparate(plan.namespaces, 'mount') };
  const { program } = compileSteps([...plan.prepare, ...plan.enter, ...plan.become], settings);
  const { execute } = plan;
  const options = { plan: execute, path: execute.candidates[0] ?? '', env: execute.env, fds, channelFd: fds.channel, arch: sys.arch };
  return [program, executeProgram({ ...options, filter: planFilter(sys, execute.seccomp) })];
}
