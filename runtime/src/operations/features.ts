/**
 * features: what this runtime implements (features.md, features-linux.md), whatever the host has; of the seccomp flags also what the kernel takes.
 * Everything named here works now, and lists come from the code that implements them.
 */
import { SPEC_VERSION } from '../../../specs/runtime/config.ts';
import type { Features, LinuxFeatures } from '../../../specs/runtime/features.ts';
import { HOOK_NAMES } from '../../../specs/runtime/hooks.ts';
import { CAPABILITY_NAMES } from '../../../specs/runtime/linux/capabilities.ts';
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from '../../../specs/runtime/linux/memory-policy.ts';
import {
  MOUNT_EXTENSION_OPTIONS,
  MOUNT_FLAG_OPTIONS,
  MOUNT_PROPAGATION_OPTIONS,
  MOUNT_RECURSIVE_OPTIONS,
} from '../../../specs/runtime/mounts.ts';
import { rdmaWrites } from '../cgroups/resources/counted.ts';
import { ANNOTATION_PREFIX } from '../cgroups/systemd/properties.ts';
import { NAMESPACE_TYPES } from '../linux/namespaces.ts';
import { ARCHITECTURE_TOKENS } from '../seccomp/architectures.ts';
import { FLAG_VALUES, supportedFlags } from '../seccomp/flags.ts';
import { libraryVersion } from '../seccomp/library.ts';
import { OPERATOR_VALUES } from '../seccomp/profile.ts';
import { ACTION_VALUES } from '../seccomp/return-values.ts';
import type { Sys } from '../sys/sys.ts';
import { CGROUP_MANAGERS } from './cgroup/cgroup-manager.ts';

const OLDEST_VERSION = '1.0.0';

/** `version` and `commit` of this runtime. */
export function features(sys: Sys, version: string, commit: string): Features {
  const libseccomp = libraryVersion(sys);
  return {
    ociVersionMin: OLDEST_VERSION,
    ociVersionMax: SPEC_VERSION,
    hooks: [...HOOK_NAMES],
    mountOptions: [...MOUNT_FLAG_OPTIONS, ...MOUNT_PROPAGATION_OPTIONS, ...MOUNT_RECURSIVE_OPTIONS, ...MOUNT_EXTENSION_OPTIONS].sort(),
    linux: linuxFeatures(sys),
    annotations: {
      'org.opencontainers.runtime-tools.tsrun.version': version,
      'org.opencontainers.runtime-tools.tsrun.commit': commit,
      ...(libseccomp === undefined ? {} : { 'io.github.seccomp.libseccomp.version': libseccomp }),
    },
    potentiallyUnsafeConfigAnnotations: [ANNOTATION_PREFIX],
  };
}

function linuxFeatures(sys: Sys): LinuxFeatures {
  // The driver serves the system's systemd and the user's alike.
  const hasSystemd = CGROUP_MANAGERS.includes('systemd');
  const hasRdma = rdmaWrites({ any: { hcaHandles: 1 } }).length > 0;
  return {
    namespaces: [...NAMESPACE_TYPES].sort(),
    capabilities: [...CAPABILITY_NAMES],
    cgroup: { v1: false, v2: true, systemd: hasSystemd, systemdUser: hasSystemd, rdma: hasRdma },
    seccomp: {
      enabled: true,
      actions: Object.keys(ACTION_VALUES).sort(),
      operators: Object.keys(OPERATOR_VALUES).sort(),
      archs: Object.keys(ARCHITECTURE_TOKENS).sort(),
      knownFlags: Object.keys(FLAG_VALUES).sort(),
      supportedFlags: supportedFlags(sys).sort(),
    },
    apparmor: { enabled: true },
    selinux: { enabled: true },
    memoryPolicy: { modes: [...MEMORY_POLICY_MODES], flags: [...MEMORY_POLICY_FLAGS] },
    intelRdt: { enabled: true, schemata: true, monitoring: true },
    mountExtensions: { idmap: { enabled: true } },
    netDevices: { enabled: true },
  };
}
