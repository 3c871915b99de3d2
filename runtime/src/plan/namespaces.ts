/** Which namespaces are made and which are joined (config-linux.md, "Namespaces"). */
import type { Linux } from '../../../specs/runtime/linux/linux.ts';
import { NAMESPACES, type NamespaceType } from '../linux/namespaces.ts';
import type { IdMap } from './steps.ts';

export interface NamespaceJoin {
  readonly type: NamespaceType;
  readonly path: string;
  readonly configPath: string;
}

/** Added to a clock in a new time namespace. */
export interface ClockOffset {
  readonly clock: 'monotonic' | 'boottime';
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

export interface NamespacePlan {
  readonly create: readonly NamespaceType[];
  /** Those of `create` that init makes itself, once it is in its cgroup and root of its user namespace. */
  readonly late: readonly NamespaceType[];
  readonly join: readonly NamespaceJoin[];
  /** Maps of a new user namespace. */
  readonly uidMappings: readonly IdMap[];
  readonly gidMappings: readonly IdMap[];
  readonly clockOffsets: readonly ClockOffset[];
}

function clockOffsets(linux: Linux): ClockOffset[] {
  const clocks = ['monotonic', 'boottime'] as const;
  return clocks.flatMap((clock) => {
    const offset = linux.timeOffsets?.[clock];
    return offset === undefined ? [] : [{ clock, seconds: BigInt(offset.secs ?? 0), nanoseconds: offset.nanosecs ?? 0 }];
  });
}

export function planNamespaces(linux: Linux): NamespacePlan {
  const create: NamespaceType[] = [];
  const join: NamespaceJoin[] = [];
  for (const [index, { type, path }] of (linux.namespaces ?? []).entries()) {
    if (path === undefined || path === '') create.push(type);
    else join.push({ type, path, configPath: `linux.namespaces[${index}].path` });
  }
  const newUser = create.includes('user');
  return {
    create,
    // A cgroup namespace shows the maker's cgroup as its root; the root of an IPC namespace's message queues belongs to its maker.
    late: create.filter((type) => type === 'cgroup' || (type === 'ipc' && newUser)),
    join,
    uidMappings: newUser ? (linux.uidMappings ?? []) : [],
    gidMappings: newUser ? (linux.gidMappings ?? []) : [],
    clockOffsets: create.includes('time') ? clockOffsets(linux) : [],
  };
}

/** The namespace of this type is the container's own or one that it joins, not the runtime's. */
export function isSeparate(plan: NamespacePlan, type: NamespaceType): boolean {
  return plan.create.includes(type) || plan.join.some((join) => join.type === type);
}

/** CLONE_NEW… flags of some types. */
export function namespaceFlags(types: readonly NamespaceType[]): number {
  return types.reduce((flags, type) => flags | NAMESPACES[type].flag, 0);
}

/** The id outside that an id inside is mapped to, or undefined where it is not mapped. */
export function mapToHost(mappings: readonly IdMap[], id: number): number | undefined {
  for (const { containerID, hostID, size } of mappings)
    if (id >= containerID && id < containerID + size) return hostID + (id - containerID);
  return undefined;
}
