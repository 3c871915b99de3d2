/**
 * What has to be done inside a container to make it one, as data: the plan decides, `rootfs/` and `process/` turn each step into system calls
 * of the init agent. Order is decided in `plan.ts`, nowhere else.
 */
import type { NamespaceType } from '../linux/namespaces.ts';
import type { AttributeChange, Propagation } from './mount-options.ts';

interface Placed {
  /** The place in config.json that asked for it. Absent where the runtime specification itself does. */
  readonly configPath?: string;
}

/** The rootfs becomes a mount of its own, the tree that everything below is resolved in. */
export interface RootStep extends Placed {
  readonly kind: 'root';
  readonly path: string;
  /** Propagation of every mount of the new namespace, before the root is made. */
  readonly outer: Propagation;
  /** Whether the root's own mount and its parent must be made private for pivot_root(2). */
  readonly detach: boolean;
  /** Whether directories will be masked. */
  readonly masks: boolean;
}

export interface FilesystemStep extends Placed {
  readonly kind: 'mount';
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly attributes: AttributeChange;
  readonly recursiveAttributes: AttributeChange | undefined;
  readonly superFlags: number;
  readonly data: readonly string[];
  readonly propagations: readonly Propagation[];
  readonly copyUp: boolean;
}

export interface BindStep extends Placed {
  readonly kind: 'bind';
  readonly destination: string;
  /** Absolute host path. */
  readonly source: string;
  readonly recursive: boolean;
  readonly attributes: AttributeChange;
  readonly recursiveAttributes: AttributeChange | undefined;
  readonly propagations: readonly Propagation[];
  /** The source's tree is opened and perhaps id-mapped by the runtime itself, whose rights on the host the container's root lacks. */
  readonly prepared: PreparedSource | undefined;
}

/** A detached tree that the runtime hands to the init process as a descriptor. */
export interface PreparedSource {
  /** Which of the handed descriptors. */
  readonly index: number;
  readonly idMap:
    | { readonly recursive: boolean; readonly uidMappings: readonly IdMap[]; readonly gidMappings: readonly IdMap[] }
    | undefined;
}

export interface IdMap {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** Changes the attributes of what is mounted there already. */
export interface RemountStep extends Placed {
  readonly kind: 'remount';
  readonly destination: string;
  /** Whether only the mount is changed (`bind,remount`), not the file system. */
  readonly mountOnly: boolean;
  readonly attributes: AttributeChange;
  readonly recursiveAttributes: AttributeChange | undefined;
  readonly superFlags: number;
  readonly data: readonly string[];
  readonly propagations: readonly Propagation[];
}

export interface DeviceStep extends Placed {
  readonly kind: 'device';
  readonly path: string;
  /** Where the host has it, if not at the same path. */
  readonly hostPath?: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In a user namespace device nodes cannot be made: the host's node is bind-mounted. */
  readonly bind: boolean;
}

export interface SymlinkStep extends Placed {
  readonly kind: 'symlink';
  readonly path: string;
  readonly target: string;
  /** Replaces what is there. Otherwise a link that is there stays. */
  readonly replace: boolean;
}

/** Makes the pseudo-terminal, sends its master to the console socket, and makes it the process's standard streams. */
export interface ConsoleStep extends Placed {
  readonly kind: 'console';
  /** Whether /dev/console is made a bind mount of the terminal. */
  readonly mount: boolean;
  readonly size: { readonly height: number; readonly width: number } | undefined;
  readonly uid: number;
}

export interface DirectoryStep extends Placed {
  readonly kind: 'directory';
  readonly path: string;
}

/** The new root takes the place of the old one. */
export interface PivotStep extends Placed {
  readonly kind: 'pivot';
  /** move: mount(MS_MOVE) and chroot, for a root that cannot be pivoted from (an initramfs). chroot: no mount namespace of its own. */
  readonly method: 'pivot' | 'move' | 'chroot';
  /** Propagation of the new root. */
  readonly propagation: Propagation | undefined;
}

export interface MaskStep extends Placed {
  readonly kind: 'mask';
  readonly path: string;
}

export interface ReadonlyStep extends Placed {
  readonly kind: 'readonly';
  readonly path: string;
}

export interface ReadonlyRootStep extends Placed {
  readonly kind: 'readonly-root';
}

export type RootfsStep =
  | RootStep
  | FilesystemStep
  | BindStep
  | RemountStep
  | DeviceStep
  | SymlinkStep
  | ConsoleStep
  | DirectoryStep
  | PivotStep
  | MaskStep
  | ReadonlyStep
  | ReadonlyRootStep;

export interface KeyringStep extends Placed {
  readonly kind: 'keyring';
  readonly name: string;
  /** A new one, that processes executed later shall find by its name. */
  readonly findable: boolean;
}

export interface HostnameStep extends Placed {
  readonly kind: 'hostname' | 'domainname';
  readonly name: string;
}

export interface SysctlStep extends Placed {
  readonly kind: 'sysctl';
  /** Path below /proc/sys. */
  readonly file: string;
  readonly value: string;
}

/** The process leads a session of its own, cannot be traced, and makes files with exactly the modes asked for. */
export interface SessionStep extends Placed {
  readonly kind: 'session';
}

export interface LoopbackStep extends Placed {
  readonly kind: 'loopback';
}

/** Namespaces that init itself makes. */
export interface UnshareStep extends Placed {
  readonly kind: 'unshare';
  readonly namespaces: readonly NamespaceType[];
}

/** In a new user namespace: become its root, which owns all that is made from here on. */
export interface BecomeRootStep extends Placed {
  readonly kind: 'become-root';
}

export interface RlimitStep extends Placed {
  readonly kind: 'rlimit';
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

export interface SchedulerStep extends Placed {
  readonly kind: 'scheduler';
  readonly policy: number;
  readonly flags: bigint;
  readonly nice: number;
  readonly priority: number;
  readonly runtimeNs: bigint;
  readonly deadlineNs: bigint;
  readonly periodNs: bigint;
}

export interface IoPriorityStep extends Placed {
  readonly kind: 'io-priority';
  readonly value: number;
}

export interface PersonalityStep extends Placed {
  readonly kind: 'personality';
  readonly persona: number;
}

export interface MemoryPolicyStep extends Placed {
  readonly kind: 'memory-policy';
  /** MPOL_… with its flags. */
  readonly mode: number;
  /** Bit n of the words is node n. */
  readonly nodeMask: readonly bigint[];
}

/** An attribute of /proc/self/attr: the security label that execve(2) applies. */
export interface LabelStep extends Placed {
  readonly kind: 'label';
  readonly module: 'apparmor' | 'selinux';
  readonly label: string;
}

/** Who the process is. */
export interface IdentityStep extends Placed {
  readonly kind: 'identity';
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** False where setgroups(2) is denied (a rootless user namespace) and no groups are asked for. */
  readonly setGroups: boolean;
  /** A user namespace that is joined, or that the runtime runs in, may deny setgroups(2), which does not matter when no groups are asked for. */
  readonly setGroupsMayFail: boolean;
  /** Descriptors that get this user as their owner. */
  readonly ownStreams: readonly number[];
  readonly umask: number;
  readonly cwd: string;
  readonly capabilities: CapabilityMasks | undefined;
  readonly noNewPrivileges: boolean;
  /** CAP_SYS_ADMIN is kept until execve, which drops it by itself, so that a seccomp filter can be the last thing before it. */
  readonly keepsAdmin: boolean;
}

/** Bit n of a mask is capability n of capabilities(7). */
export interface CapabilityMasks {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
  /** The highest capability the kernel knows. */
  readonly last: number;
}

export type ProcessStep =
  | KeyringStep
  | HostnameStep
  | SysctlStep
  | SessionStep
  | LoopbackStep
  | UnshareStep
  | BecomeRootStep
  | RlimitStep
  | SchedulerStep
  | IoPriorityStep
  | PersonalityStep
  | MemoryPolicyStep
  | LabelStep
  | IdentityStep;

export type Step = RootfsStep | ProcessStep;
