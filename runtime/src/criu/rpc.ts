/** CRIU's requests and answers, as far as a runtime has them (criu.org, "RPC"; images/rpc.proto). The numbers are the protocol's. */
import type { Sys } from '../sys/sys.ts';
import { MessageReader, MessageWriter } from './protobuf.ts';

export const REQUEST_TYPES = { dump: 1, restore: 2, 'pre-dump': 4, notify: 6, 'feature-check': 9, version: 10 } as const;
export type RequestType = keyof typeof REQUEST_TYPES;

/** What becomes of the cgroups of what is dumped: `--manage-cgroups-mode`. */
export const CGROUP_MODES = { ignore: 0, soft: 3, full: 4, strict: 5 } as const;
export type CgroupMode = keyof typeof CGROUP_MODES;

/** Options of a dump or a restore. Descriptors for directories are this process's; inherited ones those of CRIU's process. */
export interface CriuOptions {
  readonly imagesFd: number;
  readonly workFd?: number | undefined;
  /** In the work directory. */
  readonly logFile: string;
  /** The process whose tree is dumped. */
  readonly pid?: number | undefined;
  /** Host directory of the container's root; a mount point for a restore. */
  readonly root: string;
  readonly leaveRunning?: boolean | undefined;
  readonly externalUnixSockets?: boolean | undefined;
  readonly tcpEstablished?: boolean | undefined;
  readonly tcpSkipInFlight?: boolean | undefined;
  readonly tcpClose?: boolean | undefined;
  readonly shellJob?: boolean | undefined;
  readonly fileLocks?: boolean | undefined;
  readonly autoDedup?: boolean | undefined;
  readonly lazyPages?: boolean | undefined;
  readonly evasiveDevices?: boolean | undefined;
  /** Makes the restored process a sibling of CRIU's, and so a child of this process. */
  readonly restoreSibling?: boolean | undefined;
  readonly parentImage?: string | undefined;
  readonly trackMemory?: boolean | undefined;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  /** CLONE_NEW… flags of namespaces whose content is left out. */
  readonly emptyNamespaces?: number | undefined;
  readonly cgroupMode?: CgroupMode | undefined;
  /** Where the restored processes' cgroups are rooted. */
  readonly cgroupRoot?: string | undefined;
  /** Absolute path of the cgroup by which the processes are stopped. */
  readonly freezeCgroup?: string | undefined;
  /** For a dump: mount point, and the key it gets; for a restore: key, and what is mounted. */
  readonly externalMounts?: readonly (readonly [string, string])[];
  readonly external?: readonly string[];
  readonly inherited?: readonly { readonly key: string; readonly fd: number }[];
  /** Namespaces to be joined: `ipc`, `uts`, `time`, …, and the file of each. */
  readonly joinNamespaces?: readonly { readonly type: string; readonly path: string }[];
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
  readonly configFile?: string | undefined;
}

/** As runc has it: what CRIU did is in the log. */
const LOG_LEVEL = 4;

function encodeOptions(sys: Sys, options: CriuOptions): MessageWriter {
  const make = (): MessageWriter => new MessageWriter(sys);
  const { pageServer, cgroupMode, cgroupRoot } = options;
  return make()
    .number(1, options.imagesFd)
    .number(2, options.pid)
    .flag(3, options.leaveRunning)
    .flag(4, options.externalUnixSockets)
    .flag(5, options.tcpEstablished)
    .flag(6, options.evasiveDevices)
    .flag(7, options.shellJob)
    .flag(8, options.fileLocks)
    .number(9, LOG_LEVEL)
    .text(10, options.logFile)
    .message(11, pageServer === undefined ? undefined : make().text(1, pageServer.address).number(2, pageServer.port))
    .flag(12, true)
    .text(13, options.root)
    .text(14, options.parentImage)
    .flag(15, options.trackMemory)
    .flag(16, options.autoDedup)
    .number(17, options.workFd)
    .messages(
      23,
      (options.externalMounts ?? []).map(([key, value]) => make().text(1, key).text(2, value)),
    )
    .messages(25, cgroupRoot === undefined ? [] : [make().text(1, '').text(2, cgroupRoot)])
    .flag(26, options.restoreSibling)
    .messages(
      27,
      (options.inherited ?? []).map(({ key, fd }) => make().text(1, key).number(2, fd)),
    )
    .number(34, cgroupMode === undefined ? undefined : CGROUP_MODES[cgroupMode])
    .texts(37, options.external ?? [])
    .number(38, options.emptyNamespaces)
    .messages(
      39,
      (options.joinNamespaces ?? []).map(({ type, path }) => make().text(1, type).text(2, path)),
    )
    .text(44, options.freezeCgroup)
    .flag(46, options.tcpSkipInFlight)
    .flag(48, options.lazyPages)
    .flag(50, true)
    .text(51, options.configFile)
    .flag(52, options.tcpClose)
    .text(53, options.lsmProfile)
    .text(63, options.lsmMountContext);
}

/** Orphaned terminals are always handed over, and notifications are always sent. */
export function encodeRequest(sys: Sys, type: RequestType, options: CriuOptions): ArrayBuffer {
  return new MessageWriter(sys).number(1, REQUEST_TYPES[type]).message(2, encodeOptions(sys, options)).finish();
}

/** The connection stays for a request after it. */
export function encodeVersionRequest(sys: Sys): ArrayBuffer {
  return new MessageWriter(sys).number(1, REQUEST_TYPES.version).flag(4, true).finish();
}

export function encodeFeatureRequest(sys: Sys, feature: Feature): ArrayBuffer {
  const features = new MessageWriter(sys).flag(FEATURES[feature], true);
  return new MessageWriter(sys).number(1, REQUEST_TYPES['feature-check']).flag(4, true).message(5, features).finish();
}

export function encodeNotifyAnswer(sys: Sys, success: boolean): ArrayBuffer {
  return new MessageWriter(sys).number(1, REQUEST_TYPES.notify).flag(3, success).finish();
}

const FEATURES = { 'memory tracking': 1, 'lazy pages': 2 } as const;
export type Feature = keyof typeof FEATURES;

export interface Answer {
  /** A number of `REQUEST_TYPES`. */
  readonly type: number | undefined;
  readonly success: boolean;
  readonly errno: number | undefined;
  readonly message: string | undefined;
  readonly restoredPid: number | undefined;
  readonly notify: { readonly script: string; readonly pid: number } | undefined;
  /** As 31700 for 3.17. */
  readonly version: number | undefined;
  has(feature: Feature): boolean;
}

/** @throws RangeError for what is no answer */
export function decodeAnswer(sys: Sys, bytes: ArrayBuffer): Answer {
  const answer = new MessageReader(sys, new Uint8Array(bytes));
  const notify = answer.message(5);
  const version = answer.message(10);
  const features = answer.message(8);
  return {
    type: answer.number(1),
    success: answer.flag(2),
    errno: answer.number(7),
    message: answer.text(9),
    restoredPid: answer.message(4)?.number(1),
    notify: notify === undefined ? undefined : { script: notify.text(1) ?? '', pid: notify.number(2) ?? 0 },
    version: version === undefined ? undefined : versionNumber(version),
    has: (feature) => features?.flag(FEATURES[feature]) === true,
  };
}

function versionNumber(version: MessageReader): number {
  const [major = 0, minor = 0, sublevel = 0] = [1, 2, 4].map((field) => version.number(field));
  return major * 10_000 + minor * 100 + sublevel;
}
