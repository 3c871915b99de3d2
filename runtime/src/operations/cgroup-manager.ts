/** Who makes the cgroups of containers. */

import type { Config } from '../../../specs/runtime/config.ts';
import { RuntimeError } from '../base/errors.ts';
import type { ResourceWrite } from '../cgroups/resources/write.ts';
import type { CgroupRecord } from '../state/record.ts';
import type { Sys } from '../sys/sys.ts';
import type { Context } from './context.ts';

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

/** The systemd driver. It is a part of the context, so that commands that need none do without its code. */
export interface SystemdCgroups {
  /** Decides on the unit; nothing is made before `enter`. @throws RuntimeError `systemd-missing`, `systemd`, `cgroup-path` */
  place(context: Pick<Context, 'sys' | 'warn'>, config: Config, id: string): PlacedCgroup;
  /** Changes the unit, so that systemd does not undo what is written to the cgroup's files. */
  update(sys: Sys, record: CgroupRecord, writes: readonly ResourceWrite[]): void;
  /** Stops the unit and waits for its end; one that is gone is no error. Its processes have been killed before. */
  stop(sys: Sys, record: CgroupRecord): void;
}

/** @throws RuntimeError 'not-supported' where the context has no driver */
export function systemdOf(context: Pick<Context, 'systemd'>): SystemdCgroups {
  const driver = context.systemd?.();
  if (driver !== undefined) return driver;
  throw new RuntimeError('not-supported', 'the systemd cgroup manager is not available here', {
    hint: 'use the cgroupfs driver (with containerd: SystemdCgroup = false)',
  });
}

/** The driver of a container that systemd has a unit for. */
export function systemdDriverOf(context: Pick<Context, 'systemd'>, record: CgroupRecord | undefined): SystemdCgroups | undefined {
  return record?.driver === 'systemd' ? systemdOf(context) : undefined;
}
