/** The root: made a mount of its own, entered, made read-only. */

import { JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { ResultOf } from '../init/program.ts';
import { EINVAL } from '../linux/errno.ts';
import {
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_SLAVE,
} from '../linux/mount-flags.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../linux/open-flags.ts';
import type { PivotStep, ReadonlyStep, RootStep } from '../plan/steps.ts';
import { attach, cloneTree, newMount, setAttributes } from './attach.ts';
import { compilePropagation } from './mounts.ts';
import { openIfThere, type Target } from './paths.ts';

export function compileRoot(target: Target, step: RootStep, separateMounts: boolean): void {
  const { program, arch, fds } = target;
  program.step('prepare the root', step.configPath);
  const flags = O_PATH | O_DIRECTORY(arch) | O_CLOEXEC;
  if (!separateMounts) {
    const root = program.call('openat', [AT_FDCWD, step.path, flags, 0]);
    program.call('dup3', [root, fds.root, O_CLOEXEC]);
    return;
  }
  compilePropagation(target, step.outer.flag);
  const place = program.call('openat', [AT_FDCWD, step.path, flags, 0]);
  if (step.detach) makeParentPrivate(target, step.path);
  const tree = cloneTree(target, place, '', true);
  if (step.masks) makeMask(target, place);
  // pivot_root(2) refuses a shared new root; what the root's propagation shall be is set when it is in place.
  if (step.detach) setAttributes(target, tree, { propagation: MS_PRIVATE }, false);
  attach(target, tree, place, step.path);
  program.call('dup3', [tree, fds.root, O_CLOEXEC]);
}

/**
 * One empty, read-only directory for all masked directories: a mask is a copy of this mount, not a file system of its own (hosts with many CPUs
 * have a masked directory for each). Only a mount that has a place can be copied, so it lies below the root's own mount, out of reach.
 */
function makeMask(target: Target, place: ResultOf): void {
  const { program, fds } = target;
  const attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const mask = newMount(target, { type: 'tmpfs', source: 'tmpfs', superFlags: MS_RDONLY, data: ['nr_inodes=1', 'mode=0755'], attributes });
  attach(target, mask, place, 'the mask');
  setAttributes(target, mask, { propagation: MS_PRIVATE }, false);
  program.call('dup3', [mask, fds.mask, O_CLOEXEC]);
}

/** The mount that the root lies in: the nearest of its parents that is a mount point. Making any other private fails with EINVAL. */
function makeParentPrivate(target: Target, path: string): void {
  const { program } = target;
  const done = program.place();
  for (let prefix = path; prefix !== ''; prefix = prefix.slice(0, prefix.lastIndexOf('/'))) {
    program.call('mount', [null, prefix, null, MS_PRIVATE, null], { ignore: EINVAL });
    program.jumpTo(done, JUMP_IF_OK);
  }
  program.call('mount', [null, '/', null, MS_PRIVATE, null]);
  program.here(done);
}

export function compilePivot(target: Target, step: PivotStep): void {
  const { program, arch, fds } = target;
  program.step(step.method === 'pivot' ? 'pivot_root' : `change the root by ${step.method}`, step.configPath ?? 'root.path');
  const oldRoot = program.call('openat', [AT_FDCWD, '/', O_PATH | O_DIRECTORY(arch) | O_CLOEXEC, 0]);
  program.call('fchdir', [fds.root], { object: 'the new root' });
  if (step.method === 'pivot') {
    // Needs no directory for the old root: it ends up on top of the new one, at the same place (pivot_root(2), "pivot_root(".", ".")").
    program.call('pivot_root', ['.', '.']);
    program.call('fchdir', [oldRoot], { object: 'the old root' });
    // Unmounting it must not propagate to the host.
    program.call('mount', [null, '.', null, MS_REC | MS_SLAVE, null], { object: 'the old root' });
    program.call('umount2', ['.', MNT_DETACH], { object: 'the old root' });
    program.call('chdir', ['/']);
  } else {
    if (step.method === 'move') {
      // They stay mounted below the new root: the container must not find a procfs or sysfs of the host by unmounting its own.
      for (const path of ['/proc', '/sys']) program.call('umount2', [path, MNT_DETACH], { ignore: 'all' });
      program.call('move_mount', [fds.root, '', AT_FDCWD, '/', MOVE_MOUNT_F_EMPTY_PATH], { object: '/' });
    }
    program.call('chroot', ['.']);
    program.call('chdir', ['/']);
  }
  // No descriptor of the host's root may be left when the program starts (CVE-2016-9962, CVE-2024-21626).
  program.call('close', [oldRoot]);
  if (step.propagation !== undefined && step.method !== 'chroot') {
    program.call('mount', [null, '/', null, step.propagation.flag | (step.propagation.recursive ? MS_REC : 0), null], { object: '/' });
  }
}

/** The mount alone: what is mounted below keeps its own attributes. */
export function compileReadonlyRoot(target: Target): void {
  target.program.step('make the root read-only', 'root.readonly');
  setAttributes(target, target.fds.root, { set: MOUNT_ATTR_RDONLY }, false);
}

/** A path becomes a read-only bind mount of itself. A path that is not there needs no protection. */
export function compileReadonly(target: Target, step: ReadonlyStep): void {
  const { program } = target;
  program.step(`make ${step.path} read-only`, step.configPath);
  const missing = program.place();
  const place = openIfThere(target, step.path, missing);
  const tree = cloneTree(target, place, '', true);
  setAttributes(target, tree, { set: MOUNT_ATTR_RDONLY }, false);
  attach(target, tree, place, step.path);
  program.here(missing);
}
