/** features: what this runtime implements (features.md, features-linux.md), whatever the host has. Everything named here works now. */
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
import { NAMESPACE_TYPES } from '../linux/namespaces.ts';

const OLDEST_VERSION = '1.0.0';

/** `version` and `commit` of this runtime. */
export function features(version: string, commit: string): Features {
  return {
    ociVersionMin: OLDEST_VERSION,
    ociVersionMax: SPEC_VERSION,
    hooks: [...HOOK_NAMES],
    mountOptions: [...MOUNT_FLAG_OPTIONS, ...MOUNT_PROPAGATION_OPTIONS, ...MOUNT_RECURSIVE_OPTIONS, ...MOUNT_EXTENSION_OPTIONS].sort(),
    linux: linuxFeatures(),
    annotations: {
      'org.opencontainers.runtime-tools.tsrun.version': version,
      'org.opencontainers.runtime-tools.tsrun.commit': commit,
    },
    potentiallyUnsafeConfigAnnotations: [],
  };
}

function linuxFeatures(): LinuxFeatures {
  return {
    namespaces: [...NAMESPACE_TYPES].sort(),
    capabilities: [...CAPABILITY_NAMES],
    cgroup: { v1: false, v2: true, systemd: false, systemdUser: false, rdma: true },
    seccomp: { enabled: false },
    apparmor: { enabled: true },
    selinux: { enabled: true },
    memoryPolicy: { modes: [...MEMORY_POLICY_MODES], flags: [...MEMORY_POLICY_FLAGS] },
    intelRdt: { enabled: false },
    mountExtensions: { idmap: { enabled: true } },
    netDevices: { enabled: false },
  };
}
