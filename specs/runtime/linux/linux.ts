import { array, map, object, oneOf, optional, string } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';
import { IdMappings } from '../id-mapping.ts';
import { Device, NetDevice } from './devices.ts';
import { IntelRdt } from './intel-rdt.ts';
import { MemoryPolicy } from './memory-policy.ts';
import { Namespace, TimeOffsets } from './namespaces.ts';
import { LinuxResources } from './resources.ts';
import { Seccomp } from './seccomp.ts';

/** The specification names the first four; callers also send the recursive forms, which every runtime takes. */
export const ROOTFS_PROPAGATIONS = ['shared', 'slave', 'private', 'unbindable', 'rshared', 'rslave', 'rprivate', 'runbindable'] as const;
export type RootfsPropagation = (typeof ROOTFS_PROPAGATIONS)[number];

export const PERSONALITY_DOMAINS = ['LINUX', 'LINUX32'] as const;
export type PersonalityDomain = (typeof PERSONALITY_DOMAINS)[number];

/** Execution domain (`config-linux.md#personality`). No flag is supported by the specification. */
export const Personality = object(
  { domain: oneOf(PERSONALITY_DOMAINS), flags: optional(array(string)) },
  { section: 'config-linux.md#personality' },
);
export interface Personality extends Infer<typeof Personality> {}

/** Everything that only Linux has (`config-linux.md`). */
export const Linux = object(
  {
    namespaces: optional(array(Namespace)),
    uidMappings: optional(IdMappings),
    gidMappings: optional(IdMappings),
    timeOffsets: optional(TimeOffsets),
    devices: optional(array(Device)),
    /** Keys are names on the host. */
    netDevices: optional(map(NetDevice, { section: 'config-linux.md#network-devices' })),
    /** Path below the cgroup root, or `slice:prefix:name` for systemd. */
    cgroupsPath: optional(string),
    resources: optional(LinuxResources),
    rootfsPropagation: optional(oneOf(ROOTFS_PROPAGATIONS)),
    seccomp: optional(Seccomp),
    /** Keys separated by dots, or by slashes. */
    sysctl: optional(map(string, { section: 'config-linux.md#sysctl' })),
    maskedPaths: optional(array(string)),
    readonlyPaths: optional(array(string)),
    /** SELinux context of the mounts. */
    mountLabel: optional(string),
    intelRdt: optional(IntelRdt),
    memoryPolicy: optional(MemoryPolicy),
    personality: optional(Personality),
  },
  { section: 'config-linux.md' },
);
export interface Linux extends Infer<typeof Linux> {}
