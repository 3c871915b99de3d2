/** Masked paths: files become /dev/null, directories an empty read-only one (config-linux.md, "Masked Paths"). */
import { JUMP_IF_ERROR, JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { Output } from '../init/program.ts';
import { ENOENT } from '../linux/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../linux/open-flags.ts';
import type { MaskStep } from '../plan/steps.ts';
import { attach, cloneTree } from './attach.ts';
import { openInRoot, type Target } from './paths.ts';

export const STATX_BYTES = 256;
export const STATX_BASIC_STATS = 0x7ff;

/**
 * Opens the host's /dev/null while the host's root is still there. The container's own must not be the source of a mask: it could be swapped for a
 * link to a file of procfs, which the mask would then make writable (CVE-2025-31133). Returns the status to check with `isNullDevice`.
 */
export function openNullDevice(target: Target): Output {
  const { program, fds } = target;
  program.step('open the host’s /dev/null');
  const device = program.call('openat', [AT_FDCWD, '/dev/null', O_PATH | O_CLOEXEC, 0]);
  const status = program.output(STATX_BYTES);
  program.call('statx', [device, '', AT_EMPTY_PATH, STATX_BASIC_STATS, status], { object: '/dev/null' });
  program.call('dup3', [device, fds.nullDevice, O_CLOEXEC]);
  return status;
}

export function compileMask(target: Target, step: MaskStep): void {
  const { program, arch, fds } = target;
  program.step(`mask ${step.path}`, step.configPath);
  const done = program.place();
  const isFile = program.place();
  const directory = openInRoot(target, step.path, O_DIRECTORY(arch));
  program.jumpTo(isFile, JUMP_IF_ERROR);
  const empty = cloneTree(target, fds.mask, '', false);
  attach(target, empty, directory, step.path);
  program.jump(done);
  program.here(isFile);
  // A path that is not there needs no mask. What cannot be opened for another reason stops the program: it would stay unmasked.
  const present = program.place();
  openInRoot(target, step.path, 0, ENOENT);
  program.jumpTo(present, JUMP_IF_OK);
  program.jump(done);
  program.here(present);
  const file = openInRoot(target, step.path);
  const nothing = cloneTree(target, fds.nullDevice, '', false);
  attach(target, nothing, file, step.path);
  program.here(done);
}
