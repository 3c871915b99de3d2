/** The runtime's configuration of a RUN step: the defaults docker gives a container, around the step's command and mounts. */

import type { Platform } from '../../../../specs/image/descriptor.ts';
import type { Config } from '../../../../specs/runtime/config.ts';
import type { Seccomp } from '../../../../specs/runtime/linux/seccomp.ts';
import { bundleConfig } from '../../image/bundle-config.ts';
import type { ResolvedUser } from '../../image/users.ts';
import type { RunStep } from '../plan/step.ts';

export type RuntimeMount = NonNullable<Config['mounts']>[number];

export interface RunConfigOptions {
  readonly step: Pick<RunStep, 'argv' | 'env' | 'workdir' | 'network'>;
  readonly platform: Platform;
  readonly user: ResolvedUser;
  /** Host path of the tree. */
  readonly root: string;
  /** On top of those every container has. */
  readonly mounts: readonly RuntimeMount[];
  /** `NAME=value`, on top of the step's. */
  readonly env: readonly string[];
  /** This process is the root of a user namespace: of devices and networks it may do less. */
  readonly isNamespaced: boolean;
  readonly seccomp: Seccomp | undefined;
  readonly terminal?: boolean;
}

const HOSTNAME = 'build';

export function runConfig(options: RunConfigOptions): Config {
  const { step, platform, user, seccomp } = options;
  const env = new Map([...step.env, ...options.env].map((one) => [one.slice(0, one.indexOf('=')), one]));
  const base = bundleConfig({
    image: {
      architecture: platform.architecture,
      os: platform.os,
      config: { Env: [...env.values()], WorkingDir: step.workdir },
      rootfs: { type: 'layers', diff_ids: [] },
    },
    user,
    hostname: HOSTNAME,
    args: step.argv,
  });
  const isolated = step.network === 'none';
  const { resources, ...linux } = base.linux ?? {};
  return {
    ...base,
    process: { ...base.process, terminal: options.terminal === true, args: [...step.argv], cwd: step.workdir },
    root: { path: options.root },
    mounts: [...(base.mounts ?? []).map((mount) => adapted(mount, options, isolated)), ...options.mounts],
    annotations: {},
    linux: {
      ...linux,
      ...(options.isNamespaced || resources === undefined ? {} : { resources }),
      ...(seccomp === undefined ? {} : { seccomp }),
      namespaces: (linux.namespaces ?? []).filter(({ type }) => type !== 'network' || isolated),
    },
  };
}

/** In a user namespace a sysfs can only be mounted with a network of one's own, and the group of terminals need not exist. */
function adapted(mount: RuntimeMount, { isNamespaced }: RunConfigOptions, isolated: boolean): RuntimeMount {
  if (isNamespaced && mount.type === 'devpts') return { ...mount, options: (mount.options ?? []).filter((option) => option !== 'gid=5') };
  if (mount.destination !== '/sys' || !isNamespaced || isolated) return mount;
  return { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] };
}
