/** `linux.resources` as writes to the files of a cgroup v2. Pure: what the host makes of them is the matter of `apply.ts`. */
import type { LinuxResources } from '../../../specs/runtime/linux/resources.ts';
import type { ControllerNeed } from './controllers.ts';
import { hugepageWrites, pidsWrites, rdmaWrites } from './resources/counted.ts';
import { cpusetWrites, cpuWarnings, cpuWrites } from './resources/cpu.ts';
import { ioWarnings, ioWrites } from './resources/io.ts';
import { memoryWarnings, memoryWrites } from './resources/memory.ts';
import { unifiedWrites } from './resources/unified.ts';
import type { ResourceWarning, ResourceWrite } from './resources/write.ts';

export interface ResourcePlan {
  /** In the order in which they are to be made; `unified` comes last and so has the last word. */
  readonly writes: readonly ResourceWrite[];
  readonly warnings: readonly ResourceWarning[];
  /** `memory.checkBeforeUpdate`: limits, in bytes, that must be above the present usage. */
  readonly memoryCheck: MemoryCheck | undefined;
}

export interface MemoryCheck {
  readonly limitBytes: bigint | undefined;
  /** Memory and swap together. */
  readonly swapBytes: bigint | undefined;
}

/**
 * Plans everything of `resources` but `devices`, which is a program (`device-program.ts`).
 *
 * @throws RuntimeError `cgroup-resources` for values that mean nothing or that cgroup v2 cannot express
 */
export function planResources(resources: LinuxResources): ResourcePlan {
  const { memory = {}, cpu = {}, blockIO = {} } = resources;
  return {
    writes: [
      ...pidsWrites(resources.pids),
      ...memoryWrites(memory),
      ...ioWrites(blockIO),
      ...cpuWrites(cpu),
      ...cpusetWrites(cpu),
      ...hugepageWrites(resources.hugepageLimits),
      ...rdmaWrites(resources.rdma),
      ...unifiedWrites(resources.unified),
    ],
    warnings: [...memoryWarnings(memory), ...ioWarnings(blockIO), ...cpuWarnings(cpu), ...networkWarnings(resources.network)],
    memoryCheck: memory.checkBeforeUpdate === true ? memoryCheck(memory) : undefined,
  };
}

function memoryCheck(memory: NonNullable<LinuxResources['memory']>): MemoryCheck {
  const limited = (value: number | bigint | undefined) => (value !== undefined && value > 0 ? BigInt(value) : undefined);
  return { limitBytes: limited(memory.limit), swapBytes: limited(memory.swap) };
}

function networkWarnings(network: LinuxResources['network']): ResourceWarning[] {
  const names = [...(network?.classID ? ['classID'] : []), ...(network?.priorities?.length ? ['priorities'] : [])];
  return names.map((name) => ({
    configPath: `linux.resources.network.${name}`,
    message: `linux.resources.network.${name} is ignored: cgroup v2 has neither net_cls nor net_prio; match the cgroup with nftables or BPF`,
  }));
}

/** The controllers without which the writes cannot be made, each with the first place that needs it. */
export function controllerNeeds(writes: readonly ResourceWrite[]): ControllerNeed[] {
  const needs = new Map<string, ControllerNeed>();
  for (const { controller, configPath, file, optional } of writes) {
    if (optional === true || needs.has(controller) || isCore(controller, file)) continue;
    needs.set(controller, { controller, configPath });
  }
  return [...needs.values()];
}

/** Files that every cgroup has, without a controller. */
function isCore(controller: string, file: string): boolean {
  return controller === 'cgroup' || file.endsWith('.pressure');
}

/**
 * The resources after an update: what the update names replaces what was there, property by property; lists, `rdma` and `unified` entries as a whole.
 * So an update of the swap limit alone finds the memory limit it is a sum with.
 */
export function mergeResources(base: LinuxResources, update: LinuxResources): LinuxResources {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(update)) {
    const old: unknown = merged[name];
    merged[name] = isObject(old) && isObject(value) ? { ...old, ...value } : value;
  }
  return merged;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
