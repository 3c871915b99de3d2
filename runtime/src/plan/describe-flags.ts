/** Flags of mounts in the words of config.json. */
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_DIRSYNC,
  MS_I_VERSION,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_RDONLY,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from '../linux/mount-flags.ts';
import type { AttributeChange, Propagation } from './mount-options.ts';

/** [flag, set, cleared] */
const ATTRIBUTES: readonly (readonly [number, string, string])[] = [
  [MOUNT_ATTR_RDONLY, 'ro', 'rw'],
  [MOUNT_ATTR_NOSUID, 'nosuid', 'suid'],
  [MOUNT_ATTR_NODEV, 'nodev', 'dev'],
  [MOUNT_ATTR_NOEXEC, 'noexec', 'exec'],
  [MOUNT_ATTR_NODIRATIME, 'nodiratime', 'diratime'],
  [MOUNT_ATTR_NOSYMFOLLOW, 'nosymfollow', 'symfollow'],
];

const SUPER_FLAGS: readonly (readonly [number, string])[] = [
  [MS_SYNCHRONOUS, 'sync'],
  [MS_DIRSYNC, 'dirsync'],
  [MS_MANDLOCK, 'mand'],
  [MS_LAZYTIME, 'lazytime'],
  [MS_I_VERSION, 'iversion'],
  [MS_SILENT, 'silent'],
];

export function attributeNames(change: AttributeChange | undefined, prefix = ''): string[] {
  if (change === undefined) return [];
  const names = ATTRIBUTES.flatMap(([flag, set, cleared]) => {
    if ((change.set & flag) !== 0) return [set];
    return (change.clear & flag) === 0 ? [] : [cleared];
  });
  if ((change.clear & MOUNT_ATTR__ATIME) !== 0) names.push(accessTime(change.set & MOUNT_ATTR__ATIME));
  return names.map((name) => prefix + name);
}

function accessTime(mode: number): string {
  if (mode === MOUNT_ATTR_NOATIME) return 'noatime';
  return mode === MOUNT_ATTR_STRICTATIME ? 'strictatime' : 'relatime';
}

/** Without `ro`, which the attributes tell. */
export function superFlagNames(flags: number): string[] {
  return SUPER_FLAGS.flatMap(([flag, name]) => ((flags & flag & ~MS_RDONLY) === 0 ? [] : [name]));
}

export function propagationName({ flag, recursive }: Propagation): string {
  const names = new Map([
    [MS_SHARED, 'shared'],
    [MS_SLAVE, 'slave'],
    [MS_UNBINDABLE, 'unbindable'],
  ]);
  return `${recursive ? 'r' : ''}${names.get(flag) ?? 'private'}`;
}
