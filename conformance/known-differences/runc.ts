import type { KnownDifference } from '../harness/known-difference.ts';

const REPOSITORY = 'https://github.com/opencontainers/runc';
const VALIDATOR = `${REPOSITORY}/blob/main/libcontainer/configs/validate/validator.go`;
const CONVERSION = `${REPOSITORY}/blob/main/libcontainer/specconv/spec_linux.go`;

export const RUNC: readonly KnownDifference[] = [
  {
    runtime: 'runc',
    versions: '*',
    tests: ['lifecycle/delete/created'],
    reason: 'delete kills a created container',
    reference: `${REPOSITORY}/issues/1774`,
  },
  {
    runtime: 'runc',
    versions: '<1.6.0',
    tests: [
      'lifecycle/hooks/whole-order',
      'lifecycle/hooks/in-create',
      'lifecycle/hooks/poststart-after-program',
      'lifecycle/hooks/poststart-fails',
    ],
    reason: 'poststart hooks run in create, before the program',
    reference: `${REPOSITORY}/pull/5186`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['lifecycle/hooks/start-container-fails'],
    reason: 'start does not wait for what becomes of the startContainer hooks',
    reference: `${REPOSITORY}/blob/main/libcontainer/standard_init_linux.go`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['lifecycle/hooks/timeout-0'],
    reason: 'with a timeout of zero the hook and the timer race, and a hook that is done at once sometimes wins',
    reference: `${REPOSITORY}/blob/main/libcontainer/configs/config.go`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['lifecycle/hooks/poststop-fails'],
    reason: 'a poststop hook that fails is an error of delete, and keeps the others from running',
    reference: `${REPOSITORY}/blob/main/libcontainer/state_linux.go`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['mounts/options/defaults', 'features/structure/mount-options-recognized'],
    reason: 'the option defaults is given to the file system as data',
    reference: CONVERSION,
  },
  {
    runtime: 'runc',
    versions: '<1.2.0',
    tests: ['mounts/options/data-mode'],
    reason: 'a tmpfs has the mode of the directory it is mounted on',
    reference: `${REPOSITORY}/blob/v1.1.5/libcontainer/rootfs_linux.go`,
  },
  {
    runtime: 'runc',
    versions: '<1.2.0',
    tests: ['root/propagation/shared', 'root/propagation/unbindable'],
    reason: 'the propagation of the root mount is only that of its parent',
    reference: `${REPOSITORY}/blob/v1.1.5/libcontainer/rootfs_linux.go`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['devices/listed/no-path', 'devices/listed/conflict-file', 'devices/listed/conflict-directory'],
    reason: 'what is in the place of a device, or no place, is no error',
    reference: `${REPOSITORY}/blob/main/libcontainer/rootfs_linux.go`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: [
      'devices/paths/masked-relative',
      'devices/paths/readonly-relative',
      'config/annotations/empty-key',
      'process/rlimits/duplicates',
    ],
    reason: 'these values are not validated',
    reference: VALIDATOR,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['config/version/text', 'config/version/two-numbers', 'config/version/absent', 'config/version/next-major'],
    reason: 'ociVersion is not validated',
    reference: `${REPOSITORY}/issues/1846`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['seccomp/filters/errno-of-*', 'seccomp/filters/no-names', 'seccomp/listener/metadata-alone'],
    reason: 'error numbers without a meaning, rules without names and metadata without a listener are ignored',
    reference: `${REPOSITORY}/blob/main/libcontainer/seccomp/seccomp_linux.go`,
  },
  {
    runtime: 'runc',
    versions: '<1.2.0',
    tests: ['seccomp/filters/flag-*', 'process/personality/linux32', 'process/personality/unknown', 'namespaces/types/join-user'],
    reason: 'seccomp flags, personalities, and joining a user namespace without mappings are new in 1.2',
    reference: `${REPOSITORY}/releases/tag/v1.2.0`,
  },
  {
    runtime: 'runc',
    versions: '*',
    tests: ['cgroups/limits/realtime'],
    reason: 'realtime limits are ignored on cgroup v2',
    reference: `${REPOSITORY}/blob/v1.2.0/libcontainer/cgroups/fs2/cpu.go`,
  },
];
