/**
 * What a container is: what its creator asked for (`record.json`, names as in docker's API, so that `inspect` prints them as they are) and what has
 * become of it (`state.json`). The front writes the record, under the container's lock; the supervisor alone writes the state.
 */

import type { ContainerConfig, Healthcheck } from '../../../specs/image/config.ts';
import type { Descriptor } from '../../../specs/image/descriptor.ts';

/** How the process is run: the image's configuration with the command line's changes. */
export interface RunConfig extends ContainerConfig {
  Hostname: string;
  Domainname?: string;
  Tty: boolean;
  OpenStdin: boolean;
  /** Standard input is closed when the first client that gave it goes away. */
  StdinOnce: boolean;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  /** What the user called the image. */
  Image: string;
  /** Seconds. */
  StopTimeout?: number;
}

export interface PortBinding {
  HostIp: string;
  /** Empty: to be chosen. */
  HostPort: string;
}

export interface RestartPolicy {
  Name: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  MaximumRetryCount: number;
}

export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
}

export interface Ulimit {
  Name: string;
  Hard: number;
  Soft: number;
}

export interface LogConfig {
  Type: string;
  Config: Record<string, string>;
}

/** Limits, in docker's units: bytes, billionths of a CPU, microseconds. Absent and 0 mean none. */
export interface Resources {
  Memory?: number;
  MemoryReservation?: number;
  /** Memory and swap together; -1: unlimited swap. */
  MemorySwap?: number;
  NanoCpus?: number;
  CpuShares?: number;
  CpuPeriod?: number;
  CpuQuota?: number;
  CpusetCpus?: string;
  CpusetMems?: string;
  PidsLimit?: number;
  BlkioWeight?: number;
}

export interface HostConfig extends Resources {
  NetworkMode: string;
  PortBindings: Record<string, PortBinding[]>;
  PublishAllPorts: boolean;
  RestartPolicy: RestartPolicy;
  AutoRemove: boolean;
  Privileged: boolean;
  ReadonlyRootfs: boolean;
  Init: boolean;
  LogConfig: LogConfig;
  CapAdd: string[];
  CapDrop: string[];
  SecurityOpt: string[];
  Dns: string[];
  DnsOptions: string[];
  DnsSearch: string[];
  ExtraHosts: string[];
  GroupAdd: string[];
  Devices: DeviceMapping[];
  Ulimits: Ulimit[];
  Sysctls: Record<string, string>;
  /** Bytes. */
  ShmSize: number;
  PidMode: string;
  IpcMode: string;
  UTSMode: string;
  UsernsMode: string;
  CgroupParent: string;
  OomScoreAdj: number;
  Tmpfs: Record<string, string>;
  /** The file that the id was written to. */
  ContainerIDFile: string;
  /** For the runtime, as they are. Not in records of before there were any. */
  Annotations?: Record<string, string>;
}

/** A mount as docker's inspect shows it; `Source` is what is bound. */
export interface MountPoint {
  Type: 'volume' | 'bind' | 'tmpfs';
  /** Volumes only. */
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  /** Options of `-v` as given, such as `z`. */
  Mode: string;
  RW: boolean;
  Propagation: string;
  /** A volume nobody named: it goes with `rm -v` and `--rm`. */
  Anonymous?: boolean;
}

export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly Id: string;
  /** RFC 3339 with nanoseconds. */
  readonly Created: string;
  Name: string;
  /** The image's id: `sha256:…` of its configuration. */
  readonly Image: string;
  readonly ImageDescriptor: Descriptor;
  readonly Platform: string;
  Config: RunConfig;
  HostConfig: HostConfig;
  Mounts: MountPoint[];
  /** The networks to join, in order, with what was asked for there. */
  Networks: NetworkRequest[];
  readonly LogPath: string;
}

export interface NetworkRequest {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly mac?: string;
}

export type Status = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';

/** A network the container is in. */
export interface Endpoint {
  readonly network: string;
  readonly networkId: string;
  readonly interfaceName: string;
  /** Without the prefix length; empty where the network gives none. */
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly ipv6Address: string;
  /** Where there is IPv6. */
  readonly ipv6PrefixLength?: number;
  readonly ipv6Gateway?: string;
  readonly macAddress: string;
}

export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

export interface HealthState {
  readonly Status: 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  /** The last five. */
  readonly Log: readonly HealthResult[];
}

export interface ContainerState {
  readonly status: Status;
  /** 0 when there is no process. */
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid, the process's identity. */
  readonly pidStartTime: string;
  /** The shim that watches it: while that lives, it will write down the end. */
  readonly supervisor?: { readonly pid: number; readonly startTime: string };
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  /** RFC 3339; '' before the first start. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** The user stopped it: `unless-stopped` does not come back. */
  readonly stoppedByUser: boolean;
  readonly health?: HealthState;
  readonly endpoints: readonly Endpoint[];
  /** Host ports that were given, `80/tcp` → bindings; kept for the next start. */
  readonly ports: Readonly<Record<string, readonly PortBinding[]>>;
}

export const NEW_STATE: ContainerState = {
  status: 'created',
  pid: 0,
  pidStartTime: '',
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: '',
  finishedAt: '',
  restartCount: 0,
  stoppedByUser: false,
  endpoints: [],
  ports: {},
};

export function isRunning(state: Pick<ContainerState, 'status'>): boolean {
  return state.status === 'running' || state.status === 'paused';
}

/** The health check that counts: none, or one that says what to run. */
export function healthcheckOf(config: Pick<RunConfig, 'Healthcheck'>): Healthcheck | undefined {
  const test = config.Healthcheck?.Test;
  return test === undefined || test.length === 0 || test[0] === 'NONE' ? undefined : config.Healthcheck;
}
