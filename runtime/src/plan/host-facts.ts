/** All that a plan may know of the host: gathered once by the operation, made up by tests. */
export interface HostFacts {
  /** Absolute path of the bundle; relative sources start there. */
  readonly bundle: string;
  readonly euid: number;
  /** The runtime itself runs in a user namespace with fewer than all ids: rootless podman, or a container. */
  readonly inUserNamespace: boolean;
  /** Bit n is capability n: those that the runtime has, and so can give. */
  readonly permittedCapabilities: bigint;
  /** The highest capability the kernel knows (/proc/sys/kernel/cap_last_cap). */
  readonly lastCapability: number;
  /** The container's cgroup as a host directory, the runtime's own when it gets none; undefined where there is no hierarchy. */
  readonly cgroupDirectory: string | undefined;
  /** Security modules that take labels here. */
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** Whether /proc/kcore is there: then /dev/core points to it. */
  readonly kcore: boolean;
  /** Standard streams that are to belong to the process's user, who can then open them again (/dev/stdout). */
  readonly ownStreams?: readonly number[] | undefined;
}
