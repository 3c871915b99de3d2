/**
 * What the service has done by the runtime's library, as plain data: it is synchronous, and may take its time (a mount of a slow device, a hook, a
 * process that does not die), so it is done on another thread.
 */
import type { CgroupMode } from '../../../../runtime/src/criu/rpc.ts';
import type { ValidProcess, ValidResources } from '../../../../runtime/src/spec/valid.ts';

/** Where a container's runtime state is. */
export interface Place {
  readonly root: string;
  readonly id: string;
}

/** A mount as containerd describes it (containerd.types.Mount). */
export interface RootfsMount {
  readonly type: string;
  readonly source: string;
  /** Below the root file system's directory; '' is that directory. */
  readonly target: string;
  readonly options: readonly string[];
}

/** Descriptors of this process: threads share them. */
export type Stdio = readonly [number, number, number];

export interface CreateArguments extends Place {
  readonly bundle: string;
  readonly rootfs: readonly RootfsMount[];
  readonly stdio: Stdio;
  /** Of a console pair, for a container with a terminal. */
  readonly consoleFd: number | undefined;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** The cgroup is systemd's to make; also where `linux.cgroupsPath` has the form that only systemd's have. */
  readonly systemdCgroup: boolean;
}

/** A container out of an image that CRIU wrote. */
export interface RestoreArguments extends Omit<CreateArguments, 'consoleFd' | 'noNewKeyring'> {
  /** The image's directory. */
  readonly checkpoint: string;
  /** For CRIU's log. */
  readonly workPath: string;
}

/** What may be said to CRIU about a dump. Paths are absolute. */
export interface CheckpointOptions {
  readonly imagePath: string;
  /** For CRIU's log; undefined: it is nobody's but the shim's. */
  readonly workPath: string | undefined;
  readonly leaveRunning: boolean;
  readonly tcpEstablished: boolean;
  readonly externalUnixSockets: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  /** CLONE_NEW… flags. */
  readonly emptyNamespaces: number | undefined;
  readonly cgroupMode: CgroupMode | undefined;
  /** An earlier image, relative to this one. */
  readonly parentPath: string | undefined;
}

export interface CheckpointArguments extends Place, Omit<CheckpointOptions, 'workPath'> {
  readonly workPath: string;
}

export interface CreatedContainer {
  readonly pid: number;
  /** In clock ticks since boot. */
  readonly startTime: number;
  /** Host directory of its cgroup. */
  readonly cgroup: string | undefined;
  /** Other processes of the container do not end with its init: it has no pid namespace of its own. */
  readonly outlivesInit: boolean;
}

export interface ExecArguments extends Place {
  readonly process: ValidProcess;
  readonly stdio: Stdio;
  readonly consoleFd: number | undefined;
}

export interface KillArguments extends Place {
  readonly signal: number;
  readonly all: boolean;
}

export interface DeleteArguments extends Place {
  /** Kills what still runs, and takes a missing container for deleted. */
  readonly force: boolean;
  /** Unmounted with all that is mounted below it; undefined when nothing was mounted. */
  readonly rootfs: string | undefined;
}

export interface UpdateArguments extends Place {
  readonly resources: ValidResources;
}

export interface OperationTable {
  create: { args: CreateArguments; result: CreatedContainer };
  /** Create and start in one. */
  restore: { args: RestoreArguments; result: CreatedContainer };
  checkpoint: { args: CheckpointArguments; result: null };
  start: { args: Place; result: null };
  /** Starts a process in the container; the result is its pid. */
  exec: { args: ExecArguments; result: number };
  kill: { args: KillArguments; result: null };
  pause: { args: Place; result: null };
  resume: { args: Place; result: null };
  update: { args: UpdateArguments; result: null };
  delete: { args: DeleteArguments; result: null };
}

export type OperationName = keyof OperationTable;
export type ArgumentsOf<Name extends OperationName> = OperationTable[Name]['args'];
export type ResultOf<Name extends OperationName> = OperationTable[Name]['result'];

/** Somebody who carries operations out, any number at a time. */
export interface Operator {
  /** @throws RuntimeError, SyscallError as the library's */
  run<Name extends OperationName>(name: Name, args: ArgumentsOf<Name>): Promise<ResultOf<Name>>;
  close(): Promise<void>;
}
