/** Masked paths: files become /dev/null, directories an empty read-only one (config-linux.md, "Masked Paths"). */
import { JUMP_IF_ERROR } from '../init/agent/protocol.ts';
import type { Output } from '../init/program.ts';
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../linux/open-flags.ts';
import type { MaskStep } from '../plan/steps.ts';
import { attach, cloneTree } from './attach.ts';
import { openIfThere, type Target } from './paths.ts';

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
  // A path that is not there needs no mask.
  const place = openIfThere(target, step.path, done);
  program.call('openat', [place, '.', O_PATH | O_DIRECTORY(arch) | O_CLOEXEC, 0]);
  program.jumpTo(isFile, JUMP_IF_ERROR);
  attach(target, cloneTree(target, fds.mask, '', false), place, step.path);
  program.jump(done);
  program.here(isFile);
  attach(target, cloneTree(target, fds.nullDevice, '', false), place, step.path);
  program.here(done);
}
