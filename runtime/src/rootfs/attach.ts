/** Mounts made without a place, given their attributes, and only then put in place: no moment in which a read-only mount is writable. */
import { type Argument, type ResultOf, struct } from '../init/program.ts';
import {
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOUNT_ATTR_IDMAP,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_RDONLY,
  MS_SYNCHRONOUS,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from '../linux/mount-flags.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE } from '../linux/open-flags.ts';
import type { AttributeChange, Propagation } from '../plan/mount-options.ts';
import type { Target } from './paths.ts';

const MOUNT_ATTR_BYTES = 32;

/** mount_setattr(2) on a mount's descriptor. */
export function setAttributes(
  target: Target,
  mount: Argument,
  change: Partial<AttributeChange> & { readonly propagation?: number; readonly userNamespace?: number },
  recursive: boolean,
): void {
  const { set = 0, clear = 0, propagation = 0, userNamespace } = change;
  if (set === 0 && clear === 0 && propagation === 0 && userNamespace === undefined) return;
  const attributes = userNamespace === undefined ? set : set | MOUNT_ATTR_IDMAP;
  const argument = struct(
    [
      [8, attributes],
      [8, clear],
      [8, propagation],
      [8, userNamespace ?? 0],
    ],
    `{set=0x${attributes.toString(16)}, clear=0x${clear.toString(16)}, propagation=0x${propagation.toString(16)}}`,
  );
  target.program.call('mount_setattr', [mount, '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), argument, MOUNT_ATTR_BYTES]);
}

export function setPropagations(target: Target, mount: Argument, propagations: readonly Propagation[]): void {
  for (const { flag, recursive } of propagations) setAttributes(target, mount, { propagation: flag }, recursive);
}

/** A detached copy of the mount, or mount tree, at `path`, which is followed from `directory`; an empty path is the descriptor itself. */
export function cloneTree(target: Target, directory: Argument, path: string, recursive: boolean): ResultOf {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) | (path === '' ? AT_EMPTY_PATH : 0);
  return target.program.call('open_tree', [directory, path, flags]);
}

/** A detached copy of a host path. */
export function cloneHostTree(target: Target, path: string, recursive: boolean): ResultOf {
  return cloneTree(target, AT_FDCWD, path, recursive);
}

/** Puts a detached mount onto an open file or directory. */
export function attach(target: Target, mount: Argument, place: Argument, object: string): void {
  target.program.call('move_mount', [mount, '', place, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], { object });
  // Links can make any path lead through this place.
  target.made?.clear();
}

/** Flags of a file system that fsconfig(2) knows by name. */
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [MS_RDONLY, 'ro'],
  [MS_SYNCHRONOUS, 'sync'],
  [MS_DIRSYNC, 'dirsync'],
  [MS_MANDLOCK, 'mand'],
  [MS_LAZYTIME, 'lazytime'],
];

export const FLAGS_WITH_NAMES = FLAG_NAMES.reduce((flags, [flag]) => flags | flag, 0);

export interface Filesystem {
  readonly type: string;
  readonly source: string;
  readonly superFlags: number;
  /** Options of the file system: `name` or `name=value`. */
  readonly data: readonly string[];
  readonly attributes: number;
}

/** A new file system, mounted nowhere yet. */
export function newMount(target: Target, filesystem: Filesystem): ResultOf {
  const { program } = target;
  const { type } = filesystem;
  const context = program.call('fsopen', [type, FSOPEN_CLOEXEC]);
  const set = (name: string, value: string): void => {
    program.call('fsconfig', [context, FSCONFIG_SET_STRING, name, value, 0], { object: `${type} ${name}=${value}` });
  };
  const flag = (name: string): void => {
    program.call('fsconfig', [context, FSCONFIG_SET_FLAG, name, null, 0], { object: `${type} ${name}` });
  };
  set('source', filesystem.source);
  for (const [bit, name] of FLAG_NAMES) if ((filesystem.superFlags & bit) !== 0) flag(name);
  for (const option of filesystem.data) {
    const equals = option.indexOf('=');
    if (equals < 0) flag(option);
    else set(option.slice(0, equals), unquote(option.slice(equals + 1)));
  }
  program.call('fsconfig', [context, FSCONFIG_CMD_CREATE, null, null, 0], { object: type });
  const mount = program.call('fsmount', [context, FSMOUNT_CLOEXEC, filesystem.attributes], { object: type });
  return mount;
}

/** mount(8) and mount(2) take quotes off the values of security contexts; fsconfig(2) does not. */
function unquote(value: string): string {
  return /^".*"$/.test(value) ? value.slice(1, -1) : value;
}
