import { array, boolean, object, optional, string } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';
import { Annotations } from './config.ts';

const Enabled = object({ enabled: optional(boolean) });

/** What a runtime implements for Linux, whatever the host has (`features-linux.md`). */
export const LinuxFeatures = object(
  {
    namespaces: optional(array(string)),
    capabilities: optional(array(string)),
    cgroup: optional(
      object(
        {
          v1: optional(boolean),
          v2: optional(boolean),
          systemd: optional(boolean),
          systemdUser: optional(boolean),
          rdma: optional(boolean),
        },
        { section: 'features-linux.md#cgroup' },
      ),
    ),
    seccomp: optional(
      object(
        {
          enabled: optional(boolean),
          actions: optional(array(string)),
          operators: optional(array(string)),
          archs: optional(array(string)),
          knownFlags: optional(array(string)),
          supportedFlags: optional(array(string)),
        },
        { section: 'features-linux.md#seccomp' },
      ),
    ),
    apparmor: optional(Enabled),
    selinux: optional(Enabled),
    memoryPolicy: optional(
      object({ modes: optional(array(string)), flags: optional(array(string)) }, { section: 'features-linux.md#memorypolicy' }),
    ),
    intelRdt: optional(
      object(
        { enabled: optional(boolean), schemata: optional(boolean), monitoring: optional(boolean) },
        { section: 'features-linux.md#intel-rdt' },
      ),
    ),
    mountExtensions: optional(object({ idmap: optional(Enabled) }, { section: 'features-linux.md#mountextensions' })),
    netDevices: optional(Enabled),
  },
  { section: 'features-linux.md' },
);
export interface LinuxFeatures extends Infer<typeof LinuxFeatures> {}

/** What the `features` command prints (`features.md`). */
export const Features = object(
  {
    ociVersionMin: string,
    ociVersionMax: string,
    hooks: optional(array(string)),
    /** Without file-system-specific options. */
    mountOptions: optional(array(string)),
    linux: optional(LinuxFeatures),
    annotations: optional(Annotations),
    /** Annotations that change what the runtime does; a trailing dot makes a prefix. */
    potentiallyUnsafeConfigAnnotations: optional(array(string)),
  },
  { section: 'features.md' },
);
export interface Features extends Infer<typeof Features> {}
