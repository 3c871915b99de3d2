import type { Config } from '../../../../specs/runtime/config.ts';
import { parseIndexList } from '../index-list.ts';
import type { Rule } from './rule.ts';

const MEMORY_POLICY = 'config-linux.md#memory-policy';
const INTEL_RDT = 'config-linux.md#intelrdt';

/** Rules for where the container runs: memory policy, cache classes, execution domain. */
export const placementErrors: readonly Rule<Config>[] = [
  {
    id: 'memory-policy-nodes',
    reference: MEMORY_POLICY,
    check({ linux }, report) {
      if (linux?.memoryPolicy === undefined) return;
      const { mode, nodes } = linux.memoryPolicy;
      const list = parseIndexList(nodes ?? '');
      if (list === undefined) return report('linux.memoryPolicy.nodes', nodes, 'must be a list of memory nodes such as 0-3,7');
      const takesNone = mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL';
      if (takesNone && list.length > 0) report('linux.memoryPolicy.nodes', nodes, `must be empty with ${mode}`);
      if (!takesNone && mode !== 'MPOL_PREFERRED' && list.length === 0)
        report('linux.memoryPolicy.nodes', nodes, `must not be empty with ${mode}`);
    },
  },
  {
    id: 'memory-policy-flags',
    // set_mempolicy(2): EINVAL.
    reference: MEMORY_POLICY,
    check({ linux }, report) {
      const flags = linux?.memoryPolicy?.flags ?? [];
      if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES')) {
        report('linux.memoryPolicy.flags', undefined, 'cannot have both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES');
      }
    },
  },
  {
    id: 'intel-rdt-clos-id',
    reference: INTEL_RDT,
    check({ linux }, report) {
      const closID = linux?.intelRdt?.closID ?? '/';
      // "/" alone is the root of the resctrl file system; anything else is one directory in it.
      const isName = closID !== '.' && closID !== '..' && !closID.includes('/') && !closID.includes('\n');
      if (closID !== '/' && !isName) report('linux.intelRdt.closID', closID, 'must be the name of a directory, or "/"');
    },
  },
  {
    id: 'personality-flags',
    reference: 'config-linux.md#personality',
    check({ linux }, report) {
      const [flag] = linux?.personality?.flags ?? [];
      if (flag !== undefined) report('linux.personality.flags[0]', flag, 'is not supported: the specification has no flags yet');
    },
  },
];

export const placementWarnings: readonly Rule<Config>[] = [
  {
    id: 'intel-rdt-l3-cache-schema',
    reference: INTEL_RDT,
    check({ linux }, report) {
      const schema = linux?.intelRdt?.l3CacheSchema;
      if (schema !== undefined && (!schema.startsWith('L3:') || schema.includes('\n'))) {
        report('linux.intelRdt.l3CacheSchema', schema, 'should be a single line that starts with "L3:"');
      }
    },
  },
];
