/** Who makes the cgroups of containers. */
import type { CgroupRecord } from '../../state/record.ts';

/** cgroupfs: the runtime, by hand. systemd: systemd, as a transient unit. disabled: nobody; containers stay in the runtime's own. */
export const CGROUP_MANAGERS = ['cgroupfs', 'systemd', 'disabled'] as const;
export type CgroupManager = (typeof CGROUP_MANAGERS)[number];

/** A container's cgroup, there already or still to come. */
export interface PlacedCgroup {
  /** To be kept before anything else is done. */
  readonly record: CgroupRecord;
  /** Descriptor of the cgroup to be born in; undefined where `enter` puts the process there. The caller closes it. */
  readonly fd: number | undefined;
  /** Puts a process, and what it will clone, into the cgroup, which is made, and limited, around it. */
  readonly enter?: (pid: number) => void;
}
