import { array, object, optional, string } from '../schema/combinators.ts';
import type { Infer } from '../schema/schema.ts';
import { IdMappings } from './id-mapping.ts';

/** A mount beyond the root, in the listed order (`config.md#mounts`). */
export const Mount = object(
  {
    /** Path inside the container. Relative ones are deprecated and mean relative to `/`. */
    destination: string,
    /** File-system type; without meaning for bind mounts. */
    type: optional(string),
    /** Device, or file or directory (bind mounts: absolute or relative to the bundle), or a dummy. */
    source: optional(string),
    /** See `MOUNT_OPTIONS`; unknown ones are data for the file system. */
    options: optional(array(string)),
    /** Given together with `gidMappings`: the mount is id-mapped. */
    uidMappings: optional(IdMappings),
    gidMappings: optional(IdMappings),
  },
  { section: 'config.md#mounts' },
);
export interface Mount extends Infer<typeof Mount> {}

/** Options that set or clear a flag of the one mount (`config.md#linux-mount-options`). */
export const MOUNT_FLAG_OPTIONS = [
  'async',
  'atime',
  'bind',
  'defaults',
  'dev',
  'diratime',
  'dirsync',
  'exec',
  'iversion',
  'lazytime',
  'loud',
  'mand',
  'noatime',
  'nodev',
  'nodiratime',
  'noexec',
  'noiversion',
  'nolazytime',
  'nomand',
  'norelatime',
  'nostrictatime',
  'nosuid',
  'nosymfollow',
  'rbind',
  'relatime',
  'remount',
  'ro',
  'rw',
  'silent',
  'strictatime',
  'suid',
  'symfollow',
  'sync',
] as const;

/** Options that set the propagation of the mount, or with `r` of the tree below it. */
export const MOUNT_PROPAGATION_OPTIONS = [
  'private',
  'rprivate',
  'rshared',
  'rslave',
  'runbindable',
  'shared',
  'slave',
  'unbindable',
] as const;

/** Options that apply to the whole tree, by `mount_setattr(AT_RECURSIVE)`. */
export const MOUNT_RECURSIVE_OPTIONS = [
  'ratime',
  'rdev',
  'rdiratime',
  'rexec',
  'rnoatime',
  'rnodev',
  'rnodiratime',
  'rnoexec',
  'rnorelatime',
  'rnostrictatime',
  'rnosuid',
  'rnosymfollow',
  'rrelatime',
  'rro',
  'rrw',
  'rstrictatime',
  'rsuid',
  'rsymfollow',
] as const;

/** Options that the runtime itself carries out. */
export const MOUNT_EXTENSION_OPTIONS = ['idmap', 'ridmap', 'tmpcopyup'] as const;

export type MountFlagOption = (typeof MOUNT_FLAG_OPTIONS)[number];
export type MountPropagationOption = (typeof MOUNT_PROPAGATION_OPTIONS)[number];
export type MountRecursiveOption = (typeof MOUNT_RECURSIVE_OPTIONS)[number];
export type MountExtensionOption = (typeof MOUNT_EXTENSION_OPTIONS)[number];
