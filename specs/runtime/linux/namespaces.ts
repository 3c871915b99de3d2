import { int64, object, oneOf, optional, string, uint32 } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

export const NAMESPACE_TYPES = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const;
export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

/** A namespace to create, or with `path` to join (`config-linux.md#namespaces`). */
export const Namespace = object(
  {
    type: oneOf(NAMESPACE_TYPES),
    /** Absolute path of a namespace file in the runtime's mount namespace. */
    path: optional(string),
  },
  { section: 'config-linux.md#namespaces' },
);
export interface Namespace extends Infer<typeof Namespace> {}

/** What is added to a clock (`config-linux.md#offset-for-time-namespace`). Absent numbers mean 0. */
export const TimeOffset = object(
  { secs: optional(int64), nanosecs: optional(uint32) },
  { section: 'config-linux.md#offset-for-time-namespace' },
);
export interface TimeOffset extends Infer<typeof TimeOffset> {}

/** The two clocks that a time namespace can shift. Any other name is an error: there is nothing it could be ignored as. */
export const TimeOffsets = object(
  { monotonic: optional(TimeOffset), boottime: optional(TimeOffset) },
  { section: 'config-linux.md#offset-for-time-namespace', unknown: 'error' },
);
export interface TimeOffsets extends Infer<typeof TimeOffsets> {}
