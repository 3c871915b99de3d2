/** The meaning of mount options (config-linux.md, "Linux mount options"; mount(8)). */
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_RELATIME,
  MOUNT_ATTR_STRICTATIME,
  MS_DIRSYNC,
  MS_I_VERSION,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_PRIVATE,
  MS_RDONLY,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from '../linux/mount-flags.ts';

/** Changes to the attributes of a mount, as mount_setattr(2) takes them. */
export interface AttributeChange {
  readonly set: number;
  readonly clear: number;
}

export interface Propagation {
  /** One of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE. */
  readonly flag: number;
  readonly recursive: boolean;
}

export interface MountOptions {
  /** A bind mount is one exactly when `bind` or `rbind` is given, whatever the type says. */
  readonly bind: 'no' | 'one' | 'tree';
  readonly remount: boolean;
  /** Of the mount itself. */
  readonly attributes: AttributeChange;
  /** Of the mount and all below it (`rro`, `rnosuid`, …); undefined when none is given. */
  readonly recursiveAttributes: AttributeChange | undefined;
  /** Of the file system: MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME, MS_I_VERSION, MS_SILENT. */
  readonly superFlags: number;
  /** In the order given: each is a mount_setattr of its own. */
  readonly propagations: readonly Propagation[];
  /** `idmap`: the mount alone; `ridmap`: the tree. */
  readonly idMap: 'no' | 'one' | 'tree';
  readonly copyUp: boolean;
  /** What the runtime does not know is for the file system. */
  readonly data: readonly string[];
}

type Effect = readonly [kind: 'set' | 'clear' | 'atime' | 'super' | 'unsuper', flag: number];

/** Option to attribute. `ro` and `rw` are of the mount and of the file system both. */
const ATTRIBUTES: Readonly<Record<string, Effect>> = {
  ro: ['set', MOUNT_ATTR_RDONLY],
  rw: ['clear', MOUNT_ATTR_RDONLY],
  nosuid: ['set', MOUNT_ATTR_NOSUID],
  suid: ['clear', MOUNT_ATTR_NOSUID],
  nodev: ['set', MOUNT_ATTR_NODEV],
  dev: ['clear', MOUNT_ATTR_NODEV],
  noexec: ['set', MOUNT_ATTR_NOEXEC],
  exec: ['clear', MOUNT_ATTR_NOEXEC],
  nodiratime: ['set', MOUNT_ATTR_NODIRATIME],
  diratime: ['clear', MOUNT_ATTR_NODIRATIME],
  nosymfollow: ['set', MOUNT_ATTR_NOSYMFOLLOW],
  symfollow: ['clear', MOUNT_ATTR_NOSYMFOLLOW],
  // The access time modes exclude each other: choosing one clears the field. Taking one back leads to the kernel's default, relatime.
  noatime: ['atime', MOUNT_ATTR_NOATIME],
  atime: ['atime', MOUNT_ATTR_RELATIME],
  relatime: ['atime', MOUNT_ATTR_RELATIME],
  norelatime: ['atime', MOUNT_ATTR_RELATIME],
  strictatime: ['atime', MOUNT_ATTR_STRICTATIME],
  nostrictatime: ['atime', MOUNT_ATTR_RELATIME],
};

const SUPER_FLAGS: Readonly<Record<string, Effect>> = {
  sync: ['super', MS_SYNCHRONOUS],
  async: ['unsuper', MS_SYNCHRONOUS],
  dirsync: ['super', MS_DIRSYNC],
  mand: ['super', MS_MANDLOCK],
  nomand: ['unsuper', MS_MANDLOCK],
  lazytime: ['super', MS_LAZYTIME],
  nolazytime: ['unsuper', MS_LAZYTIME],
  iversion: ['super', MS_I_VERSION],
  noiversion: ['unsuper', MS_I_VERSION],
  silent: ['super', MS_SILENT],
  loud: ['unsuper', MS_SILENT],
};

const PROPAGATIONS: Readonly<Record<string, Propagation>> = {
  shared: { flag: MS_SHARED, recursive: false },
  rshared: { flag: MS_SHARED, recursive: true },
  slave: { flag: MS_SLAVE, recursive: false },
  rslave: { flag: MS_SLAVE, recursive: true },
  private: { flag: MS_PRIVATE, recursive: false },
  rprivate: { flag: MS_PRIVATE, recursive: true },
  unbindable: { flag: MS_UNBINDABLE, recursive: false },
  runbindable: { flag: MS_UNBINDABLE, recursive: true },
};

/** The propagation that an option or `linux.rootfsPropagation` names. */
export function propagationNamed(name: string): Propagation | undefined {
  return Object.hasOwn(PROPAGATIONS, name) ? PROPAGATIONS[name] : undefined;
}

function change(before: AttributeChange, [kind, flag]: Effect): AttributeChange {
  if (kind === 'set') return { set: before.set | flag, clear: before.clear & ~flag };
  if (kind === 'clear') return { set: before.set & ~flag, clear: before.clear | flag };
  return { set: (before.set & ~MOUNT_ATTR__ATIME) | flag, clear: before.clear | MOUNT_ATTR__ATIME };
}

const NONE: AttributeChange = { set: 0, clear: 0 };

/** Reads options in order; of two that contradict each other the later wins. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let bind: MountOptions['bind'] = 'no';
  let idMap: MountOptions['idMap'] = 'no';
  let attributes = NONE;
  let recursiveAttributes: AttributeChange | undefined;
  let superFlags = 0;
  const propagations: Propagation[] = [];
  const data: string[] = [];
  for (const option of options) {
    const recursiveName = option.startsWith('r') ? option.slice(1) : '';
    const propagation = propagationNamed(option);
    if (propagation !== undefined) propagations.push(propagation);
    else if (Object.hasOwn(ATTRIBUTES, option)) {
      attributes = change(attributes, ATTRIBUTES[option] ?? ['set', 0]);
      if (option === 'ro') superFlags |= MS_RDONLY;
      if (option === 'rw') superFlags &= ~MS_RDONLY;
    } else if (Object.hasOwn(SUPER_FLAGS, option)) {
      const [kind, flag] = SUPER_FLAGS[option] ?? ['super', 0];
      superFlags = kind === 'super' ? superFlags | flag : superFlags & ~flag;
    } else if (Object.hasOwn(ATTRIBUTES, recursiveName)) {
      recursiveAttributes = change(recursiveAttributes ?? NONE, ATTRIBUTES[recursiveName] ?? ['set', 0]);
    } else if (option === 'bind' || option === 'rbind') bind = option === 'bind' ? 'one' : 'tree';
    else if (option === 'idmap' || option === 'ridmap') idMap = option === 'idmap' ? 'one' : 'tree';
    else if (!['remount', 'tmpcopyup', 'defaults', ''].includes(option)) data.push(option);
  }
  return {
    bind,
    remount: options.includes('remount'),
    attributes,
    recursiveAttributes,
    superFlags,
    propagations,
    idMap,
    copyUp: options.includes('tmpcopyup'),
    data,
  };
}
