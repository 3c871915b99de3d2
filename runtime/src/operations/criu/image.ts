/** The directories of an image, and the options that dump and restore have in common. */
import type { Config } from '../../../../specs/runtime/config.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { CriuConnection } from '../../criu/connection.ts';
import type { CgroupMode, CriuOptions, Feature } from '../../criu/rpc.ts';
import { close, mkdirAll, openDirectory } from '../../linux/files.ts';
import { lstat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';

export interface ImageOptions {
  /** Absolute path. */
  readonly imagePath: string;
  /** Where CRIU has its log and what else it needs; absolute path. Default: the image directory. */
  readonly workPath?: string | undefined;
  readonly tcpEstablished?: boolean | undefined;
  readonly externalUnixSockets?: boolean | undefined;
  readonly shellJob?: boolean | undefined;
  readonly fileLocks?: boolean | undefined;
  readonly autoDedup?: boolean | undefined;
  readonly lazyPages?: boolean | undefined;
  /** After how many seconds in which CRIU shows no sign of life it is killed. Default: 120. */
  readonly timeoutSeconds?: number | undefined;
  /** CLONE_NEW… flags. */
  readonly emptyNamespaces?: number | undefined;
  /** Default: soft, as with runc. With ignore there is no cgroup namespace either. */
  readonly cgroupMode?: CgroupMode | undefined;
}

const PRIVATE = 0o700;
const DEFAULT_TIMEOUT_SECONDS = 120;

export function silenceMs({ timeoutSeconds = DEFAULT_TIMEOUT_SECONDS }: ImageOptions): number {
  return timeoutSeconds * 1000;
}

/** Open directories; the holder closes both. */
export interface ImageDirectories {
  readonly imagesFd: number;
  readonly workFd: number;
}

export function makeImageDirectories(sys: Sys, { imagePath, workPath = imagePath }: ImageOptions): void {
  mkdirAll(sys, imagePath, PRIVATE);
  mkdirAll(sys, workPath, PRIVATE);
}

/** @param hostRoot in front of the paths: `/proc/PID/root` of a process whose mounts count */
export function withImage<T>(sys: Sys, options: ImageOptions, hostRoot: string, body: (directories: ImageDirectories) => T): T {
  const { imagePath, workPath = imagePath } = options;
  const imagesFd = openDirectory(sys, `${hostRoot}${imagePath}`);
  try {
    const workFd = openDirectory(sys, `${hostRoot}${workPath}`);
    try {
      return body({ imagesFd, workFd });
    } finally {
      close(sys, workFd);
    }
  } finally {
    close(sys, imagesFd);
  }
}

export function logPath({ imagePath, workPath = imagePath }: ImageOptions, logFile: string): string {
  return `${workPath}/${logFile}`;
}

const CONFIG_ANNOTATION = 'org.criu.config';
const CONFIG_FILE = '/etc/criu/runc.conf';

/** A file of CRIU's options: where the annotation says, or where runc has it. An annotation without a value means none. */
export function configFile(sys: Sys, { annotations }: Config): string | undefined {
  const named = annotations?.[CONFIG_ANNOTATION];
  if (named !== undefined) return named === '' ? undefined : named;
  return lstat(sys, CONFIG_FILE) === undefined ? undefined : CONFIG_FILE;
}

/** Keys of namespaces that belong to somebody else, as runc has them. */
export const EXTERNAL_NAMESPACES = { network: { word: 'net', key: 'extRootNetNS' }, pid: { word: 'pid', key: 'extRootPidNS' } } as const;

export function commonOptions(sys: Sys, options: ImageOptions, config: Config, directories: ImageDirectories) {
  return {
    ...directories,
    externalUnixSockets: options.externalUnixSockets,
    tcpEstablished: options.tcpEstablished,
    shellJob: options.shellJob,
    fileLocks: options.fileLocks,
    autoDedup: options.autoDedup,
    lazyPages: options.lazyPages,
    emptyNamespaces: options.emptyNamespaces,
    cgroupMode: options.cgroupMode ?? 'soft',
    configFile: configFile(sys, config),
  } satisfies Partial<CriuOptions>;
}

/** The first release that runc takes. */
const OLDEST = 30_000;

/** What an older CRIU would leave out without a word: what it is about, whether it is wanted, and the first release that has it. */
export type VersionNeed = readonly [what: string, wanted: boolean, since: number];

/** @throws RuntimeError 'criu-old' */
export function checkVersion(connection: CriuConnection, needs: readonly VersionNeed[]): void {
  const version = connection.version();
  for (const [what, wanted, since] of [['the checkpoint', true, OLDEST] as const, ...needs]) {
    if (!wanted || version >= since) continue;
    throw new RuntimeError('criu-old', `${what}: this needs CRIU ${versionText(since)}, and here is ${versionText(version)}`, {
      hint: 'install a newer CRIU',
    });
  }
}

function versionText(version: number): string {
  return `${Math.floor(version / 10_000)}.${Math.floor((version % 10_000) / 100)}`;
}

/** @throws RuntimeError 'criu-feature' */
export function checkFeature(connection: CriuConnection, feature: Feature, what: string): void {
  if (connection.has(feature)) return;
  throw new RuntimeError('criu-feature', `${what} needs ${feature}, which this kernel or this CRIU does not have`, {
    hint:
      feature === 'memory tracking' ? 'a kernel with CONFIG_MEM_SOFT_DIRTY, on an architecture that has it' : 'a kernel with userfaultfd',
  });
}
