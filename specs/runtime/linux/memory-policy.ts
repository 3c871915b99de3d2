import { array, object, oneOf, optional, string } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

export const MEMORY_POLICY_MODES = [
  'MPOL_DEFAULT',
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_WEIGHTED_INTERLEAVE',
  'MPOL_PREFERRED',
  'MPOL_PREFERRED_MANY',
  'MPOL_LOCAL',
] as const;
export type MemoryPolicyMode = (typeof MEMORY_POLICY_MODES)[number];

export const MEMORY_POLICY_FLAGS = ['MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES'] as const;
export type MemoryPolicyFlag = (typeof MEMORY_POLICY_FLAGS)[number];

/** What set_mempolicy(2) is given (`config-linux.md#memory-policy`). */
export const MemoryPolicy = object(
  {
    mode: oneOf(MEMORY_POLICY_MODES),
    /** List such as `0-3,7`. */
    nodes: optional(string),
    flags: optional(array(oneOf(MEMORY_POLICY_FLAGS))),
  },
  { section: 'config-linux.md#memory-policy' },
);
export interface MemoryPolicy extends Infer<typeof MemoryPolicy> {}
