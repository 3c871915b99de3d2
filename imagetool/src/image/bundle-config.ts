/** An image's configuration as a runtime's config.json (image-spec, conversion.md), around the defaults docker gives a container. */

import { ANNOTATION } from '../../../specs/image/annotations.ts';
import type { ImageConfig } from '../../../specs/image/config.ts';
import type { Config } from '../../../specs/runtime/config.ts';
import { ImageError } from '../base/errors.ts';
import type { ResolvedUser } from './users.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Capabilities docker leaves to root in a container. */
export const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
export const READONLY_PATHS: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface BundleConfigOptions {
  readonly image: ImageConfig;
  readonly user: ResolvedUser;
  readonly hostname: string;
  /** The caller is not root: a user namespace in which the caller is root, and nobody else exists. */
  readonly rootless?: { readonly uid: number; readonly gid: number };
  /** Replaces the image's command. */
  readonly args?: readonly string[];
}

/** What is to run. Throws ImageError `no-command` for an image that says nothing of it. @param given in place of the image's */
export function commandOf({ config = {} }: ImageConfig, given?: readonly string[]): readonly string[] {
  const args = given ?? [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0) throw new ImageError('no-command', 'the image names no command', { hint: 'Say what is to run: -- COMMAND.' });
  return args;
}

/** Throws as commandOf. */
export function bundleConfig(options: BundleConfigOptions): Config {
  const { image, user } = options;
  const config = image.config ?? {};
  const args = commandOf(image, options.args);
  const isRootUser = user.uid === 0;
  const held = isRootUser ? CAPABILITIES : [];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, ...(user.additionalGids.length === 0 ? {} : { additionalGids: [...user.additionalGids] }) },
      args: [...args],
      env: environment(config.Env ?? [], user),
      cwd: config.WorkingDir === undefined || config.WorkingDir === '' ? '/' : absolute(config.WorkingDir),
      capabilities: { bounding: [...CAPABILITIES], effective: [...held], permitted: [...held] },
      noNewPrivileges: false,
    },
    root: { path: 'rootfs' },
    hostname: options.hostname,
    mounts: [...systemMounts(options.rootless !== undefined), ...volumeMounts(Object.keys(config.Volumes ?? {}))],
    annotations: annotationsOf(image),
    linux: {
      ...(options.rootless === undefined ? {} : idMappings(options.rootless)),
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', ...(options.rootless === undefined ? [] : (['user'] as const))].map((type) => ({
        type: type as 'pid',
      })),
      maskedPaths: [...MASKED_PATHS],
      readonlyPaths: [...READONLY_PATHS],
      ...(options.rootless === undefined ? { resources: { devices: [{ allow: false, access: 'rwm' }] } } : {}),
    },
  };
}

/** The image's, with a PATH and a HOME if it has none. */
function environment(env: readonly string[], user: ResolvedUser): string[] {
  const has = (name: string) => env.some((one) => one.startsWith(`${name}=`));
  return [
    ...(has('PATH') ? [] : [`PATH=${DEFAULT_PATH}`]),
    ...env.map((one) => (one.includes('=') ? one : `${one}=`)),
    ...(has('HOME') ? [] : [`HOME=${user.home === undefined || user.home === '' ? '/' : user.home}`]),
  ];
}

/** Facts of the image under the names conversion.md gives them; its labels win. */
function annotationsOf(image: ImageConfig): Record<string, string> {
  const ports = Object.keys(image.config?.ExposedPorts ?? {});
  const facts: readonly (readonly [string, string | undefined])[] = [
    [ANNOTATION.os, image.os],
    [ANNOTATION.architecture, image.architecture],
    [ANNOTATION.variant, image.variant],
    [ANNOTATION.osVersion, image['os.version']],
    [ANNOTATION.osFeatures, image['os.features']?.join(',')],
    [ANNOTATION.author, image.author],
    [ANNOTATION.created, image.created],
    [ANNOTATION.stopSignal, image.config?.StopSignal],
    [ANNOTATION.exposedPorts, ports.length === 0 ? undefined : ports.sort().join(',')],
  ];
  const present = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '');
  return { ...Object.fromEntries(present), ...image.config?.Labels };
}

function systemMounts(isRootless: boolean): NonNullable<Config['mounts']> {
  const mount = (destination: string, type: string, source: string, ...options: string[]) => ({ destination, type, source, options });
  return [
    mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    // The group of terminals does not exist where only one id does.
    mount(
      '/dev/pts',
      'devpts',
      'devpts',
      'nosuid',
      'noexec',
      'newinstance',
      'ptmxmode=0666',
      'mode=0620',
      ...(isRootless ? [] : ['gid=5']),
    ),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    // sysfs belongs to a network namespace of one's own, which a rootless container has as well.
    mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
  ];
}

function volumeMounts(paths: readonly string[]): NonNullable<Config['mounts']> {
  return [...paths]
    .sort()
    .map((path) => ({ destination: absolute(path), type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'tmpcopyup'] }));
}

function idMappings({ uid, gid }: { uid: number; gid: number }): object {
  return { uidMappings: [{ containerID: 0, hostID: uid, size: 1 }], gidMappings: [{ containerID: 0, hostID: gid, size: 1 }] };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}
