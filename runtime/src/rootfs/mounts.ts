/** Mount steps as programs. */
import { JUMP_IF_ERROR, JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { Argument, Output } from '../init/program.ts';
import { ENOENT } from '../linux/errno.ts';
import { MOUNT_ATTR__ATIME, MS_REC, MS_REMOUNT } from '../linux/mount-flags.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from '../linux/open-flags.ts';
import type { BindStep, FilesystemStep, RemountStep } from '../plan/steps.ts';
import { attach, cloneHostTree, FLAGS_WITH_NAMES, newMount, setAttributes, setPropagations } from './attach.ts';
import { makeDirectories, makeFile, openDirectory, openInRoot, type Target } from './paths.ts';

/** fsconfig(2) takes values of at most 255 bytes. */
const FSCONFIG_VALUE_BYTES = 255;

/** File systems that the runtime itself, or tools in the container, trust by their path: a link there could lead anywhere. */
const PLAIN_DIRECTORIES = ['proc', 'sysfs'];

/** What only mount(2) can express: flags without a name, very long options. */
function needsMountCall(step: FilesystemStep): boolean {
  return (step.superFlags & ~FLAGS_WITH_NAMES) !== 0 || step.data.some((option) => option.length > FSCONFIG_VALUE_BYTES);
}

/**
 * mount(2) onto the working directory: `.` is the directory that was opened, whatever its path has become in the meantime.
 * The agent's working directory is set again by the pivot.
 */
function mountCall(target: Target, step: FilesystemStep, place: Argument): void {
  const { program } = target;
  program.call('fchdir', [place]);
  program.call('mount', [step.source, '.', step.type, step.superFlags, step.data.join(',')], { object: step.destination });
  const mount = openInRoot(target, step.destination, O_DIRECTORY(target.arch));
  const { set, clear } = step.attributes;
  setAttributes(target, mount, { set, clear: clear | (set & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0) }, false);
  if (step.recursiveAttributes !== undefined) setAttributes(target, mount, step.recursiveAttributes, true);
  setPropagations(target, mount, step.propagations);
}

export function compileFilesystem(target: Target, step: FilesystemStep): void {
  const { program } = target;
  program.step(`mount ${step.type} on ${step.destination}`, step.configPath);
  const place = openDirectory(target, step.destination, PLAIN_DIRECTORIES.includes(step.type));
  if (needsMountCall(step)) mountCall(target, step, place);
  else {
    const mount = newMount(target, { ...step, attributes: step.attributes.set });
    if (step.recursiveAttributes !== undefined) setAttributes(target, mount, step.recursiveAttributes, true);
    attach(target, mount, place, step.destination);
    // Only a mount in its place has peers to be shared with.
    setPropagations(target, mount, step.propagations);
  }
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

/** `struct statfs` of the place that a bind mount went to. */
const STATFS_BYTES = 120;

export interface PlaceCheck {
  readonly destination: string;
  readonly configPath: string | undefined;
  readonly statfs: Output;
}

/** Returns what must be checked once the program ran: a bind mount's target must not lie inside procfs by way of a link. */
export function compileBind(target: Target, step: BindStep): PlaceCheck {
  const { program, fds } = target;
  program.step(`bind ${step.source} to ${step.destination}`, step.configPath);
  const source = step.prepared === undefined ? cloneHostTree(target, step.source, step.recursive) : fds.prepared + step.prepared.index;
  setAttributes(target, source, step.attributes, false);
  if (step.recursiveAttributes !== undefined) setAttributes(target, source, step.recursiveAttributes, true);
  makeBindTarget(target, source, step.destination);
  const place = openInRoot(target, step.destination);
  const statfs = program.output(STATFS_BYTES);
  program.call('fstatfs', [place, statfs], { object: step.destination });
  attach(target, source, place, step.destination);
  setPropagations(target, source, step.propagations);
  return { destination: step.destination, configPath: step.configPath, statfs };
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
