/** Mount steps as programs. */
import { JUMP_IF_ERROR, JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { Argument, Output, ResultOf } from '../init/program.ts';
import { ENOENT } from '../linux/errno.ts';
import {
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_STRICTATIME,
} from '../linux/mount-flags.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT } from '../linux/open-flags.ts';
import type { BindStep, FilesystemStep, RemountStep } from '../plan/steps.ts';
import { attach, cloneHostTree, FLAGS_WITH_NAMES, newMount, setAttributes, setPropagations } from './attach.ts';
import { makeDirectories, makeFile, openBelow, openDirectory, openInRoot, type Target } from './paths.ts';

/** fsconfig(2) takes values of at most 255 bytes. */
const FSCONFIG_VALUE_BYTES = 255;
const PLAIN_TEXT = /^[ -[\]-~]*$/;

/** File systems that the runtime itself, or tools in the container, trust by their path: a link there could lead anywhere. */
export const PLAIN_DIRECTORIES: readonly string[] = ['proc', 'sysfs'];

/** What only mount(2) can express: flags without a name, long options, and characters that file systems read differently in the two ways. */
function needsMountCall(step: FilesystemStep): boolean {
  const oldWay = (option: string): boolean => option.length > FSCONFIG_VALUE_BYTES || !PLAIN_TEXT.test(option);
  return (step.superFlags & ~FLAGS_WITH_NAMES) !== 0 || step.data.some(oldWay);
}

/** An attribute of a mount, and the flag that mount(2) has for it. */
const ATTRIBUTE_FLAGS: readonly (readonly [number, number])[] = [
  [MOUNT_ATTR_RDONLY, MS_RDONLY],
  [MOUNT_ATTR_NOSUID, MS_NOSUID],
  [MOUNT_ATTR_NODEV, MS_NODEV],
  [MOUNT_ATTR_NOEXEC, MS_NOEXEC],
  [MOUNT_ATTR_NODIRATIME, MS_NODIRATIME],
  [MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW],
  [MOUNT_ATTR_NOATIME, MS_NOATIME],
  [MOUNT_ATTR_STRICTATIME, MS_STRICTATIME],
];

function attributeFlags({ attributes, recursiveAttributes }: FilesystemStep): number {
  // Nothing is below a new mount: what is for the tree is for the mount.
  const { set, clear } = recursiveAttributes ?? { set: 0, clear: 0 };
  const all = (attributes.set & ~clear) | set;
  return ATTRIBUTE_FLAGS.reduce((flags, [attribute, flag]) => ((all & attribute) === 0 ? flags : flags | flag), 0);
}

/**
 * mount(2) onto the working directory: `.` is the directory that was opened, whatever its path has become in the meantime.
 * The agent's working directory is set again by the pivot.
 */
function mountCall(target: Target, step: FilesystemStep, place: Argument): void {
  const { program } = target;
  const object = step.destination;
  program.call('fchdir', [place], { object });
  program.call('mount', [step.source, '.', step.type, step.superFlags | attributeFlags(step), step.data.join(',')], { object });
  if (step.propagations.length > 0) setPropagations(target, mountedOn(target, place), step.propagations);
}

/**
 * The directory that an open directory is hidden by. No path is followed, which may lead elsewhere by now: with RESOLVE_IN_ROOT the descriptor is the root,
 * whose `..` is the root itself with what is mounted there (path_resolution(7), openat2(2)).
 */
function mountedOn(target: Target, place: Argument): ResultOf {
  return openBelow(target, place, '..', { flags: O_PATH | O_DIRECTORY(target.arch), resolve: RESOLVE_IN_ROOT });
}

/** Nothing to check is left for procfs, which has a place of its own. */
export function compileFilesystem(target: Target, step: FilesystemStep): PlaceCheck | undefined {
  const { program } = target;
  program.step(`mount ${step.type} on ${step.destination}`, step.configPath);
  const place = openDirectory(target, step.destination, PLAIN_DIRECTORIES.includes(step.type));
  const check = step.type === 'proc' ? undefined : checkLater(target, step, place);
  if (needsMountCall(step)) mountCall(target, step, place);
  else {
    const mount = newMount(target, { ...step, attributes: step.attributes.set });
    if (step.recursiveAttributes !== undefined) setAttributes(target, mount, step.recursiveAttributes, true);
    attach(target, mount, place, step.destination);
    // Only a mount in its place has peers to be shared with.
    setPropagations(target, mount, step.propagations);
  }
  return check;
}

/** Makes the target of a bind mount, of the same kind as its source, unless something is there. */
function makeBindTarget(target: Target, source: Argument, destination: string): void {
  const { program, arch } = target;
  const made = program.place();
  const isFile = program.place();
  openInRoot(target, destination, 0, ENOENT);
  program.jumpTo(made, JUMP_IF_OK);
  program.call('openat', [source, '.', O_PATH | O_DIRECTORY(arch) | O_CLOEXEC, 0]);
  program.jumpTo(isFile, JUMP_IF_ERROR);
  makeDirectories(target, destination);
  program.jump(made);
  program.here(isFile);
  makeFile(target, destination);
  program.here(made);
}

/**
 * A directory goes on a directory, and a file on a file. move_mount(2) would say "invalid argument"; callers look for mount(2)'s "not a directory"
 * (docker asks "Are you trying to mount a directory onto a file (or vice-versa)?").
 */
function checkKinds(target: Target, step: BindStep, source: Argument, place: Argument): void {
  const { program, arch } = target;
  const isFile = program.place();
  const checked = program.place();
  const flags = O_PATH | O_DIRECTORY(arch) | O_CLOEXEC;
  program.call('openat', [source, '.', flags, 0]);
  program.jumpTo(isFile, JUMP_IF_ERROR);
  program.call('openat', [place, '.', flags, 0], { object: step.destination });
  program.jump(checked);
  program.here(isFile);
  program.call('openat', [place, '.', flags, 0]);
  program.jumpTo(checked, JUMP_IF_ERROR);
  program.call('openat', [source, '.', flags, 0], { object: step.source });
  program.here(checked);
}

/** `struct statfs`. */
const STATFS_BYTES = 120;

/** What must be checked once the program ran. */
export interface PlaceCheck {
  readonly destination: string;
  readonly source: string;
  readonly configPath: string | undefined;
  /** Of the place that was mounted on; of the source when that is /proc itself. */
  readonly statfs: Output;
}

function checkLater(target: Target, step: FilesystemStep | BindStep, descriptor: Argument): PlaceCheck {
  const statfs = target.program.output(STATFS_BYTES);
  const { destination, source, configPath } = step;
  target.program.call('fstatfs', [descriptor, statfs], { object: destination });
  return { destination, source, configPath, statfs };
}

export function compileBind(target: Target, step: BindStep): PlaceCheck {
  const { program, fds } = target;
  program.step(`bind ${step.source} to ${step.destination}`, step.configPath);
  const source = step.prepared === undefined ? cloneHostTree(target, step.source, step.recursive) : fds.prepared + step.prepared.index;
  setAttributes(target, source, step.attributes, false);
  if (step.recursiveAttributes !== undefined) setAttributes(target, source, step.recursiveAttributes, true);
  makeBindTarget(target, source, step.destination);
  const place = openInRoot(target, step.destination);
  checkKinds(target, step, source, place);
  const check = checkLater(target, step, step.destination === '/proc' ? source : place);
  attach(target, source, place, step.destination);
  setPropagations(target, source, step.propagations);
  return check;
}

export function compileRemount(target: Target, step: RemountStep): void {
  const { program } = target;
  program.step(`remount ${step.destination}`, step.configPath);
  const mount = openInRoot(target, step.destination);
  if (!step.mountOnly) {
    program.call('fchdir', [mount]);
    program.call('mount', [null, '.', null, MS_REMOUNT | step.superFlags, step.data.join(',')], { object: step.destination });
  }
  setAttributes(target, mount, step.attributes, false);
  if (step.recursiveAttributes !== undefined) setAttributes(target, mount, step.recursiveAttributes, true);
  setPropagations(target, mount, step.propagations);
}

/** mount(2) by path on the whole namespace's root: the propagation before anything else is done. */
export function compilePropagation(target: Target, flag: number): void {
  target.program.call('mount', [null, '/', null, flag | MS_REC, null], { object: '/' });
}
