/** Device nodes, links and directories of the container's root. */
import { JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { Output } from '../init/program.ts';
import { EEXIST, ENOENT } from '../linux/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
} from '../linux/open-flags.ts';
import type { DeviceStep, SymlinkStep } from '../plan/steps.ts';
import { attach, cloneTree } from './attach.ts';
import { STATX_BASIC_STATS, STATX_BYTES } from './masks.ts';
import { makeDirectories, makeFile, openInRoot, splitPath, type Target } from './paths.ts';

const FILE_TYPES = { c: S_IFCHR, b: S_IFBLK, p: S_IFIFO } as const;

/** dev_t as mknod(2) takes it (linux/kdev_t.h, new_encode_dev). */
export function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

export interface DeviceCheck {
  readonly step: DeviceStep;
  /** Status of what was there already; all zero when the node was made. */
  readonly status: Output;
}

/** Makes a node. What is there already must be checked once the program ran: it may be something else. */
function makeNode(target: Target, step: DeviceStep): DeviceCheck {
  const { program, arch } = target;
  const [directory, name] = splitPath(step.path);
  makeDirectories(target, directory);
  const parent = openInRoot(target, directory, O_DIRECTORY(arch));
  const made = program.place();
  const finished = program.place();
  const status = program.output(STATX_BYTES);
  const number = deviceNumber(step.major, step.minor);
  program.call('mknodat', [parent, name, FILE_TYPES[step.type] | step.mode, number], { ignore: EEXIST, object: step.path });
  program.jumpTo(made, JUMP_IF_OK);
  program.call('statx', [parent, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, status], { object: step.path });
  program.jump(finished);
  program.here(made);
  if (step.uid !== 0 || step.gid !== 0) {
    program.call('fchownat', [parent, name, step.uid, step.gid, AT_SYMLINK_NOFOLLOW], { object: step.path });
  }
  program.here(finished);
  return { step, status };
}

/** In a user namespace: the host's node, bind-mounted. It must be the device that was asked for. */
function bindNode(target: Target, step: DeviceStep): DeviceCheck {
  const { program, arch } = target;
  const source = program.call('openat', [AT_FDCWD, step.hostPath ?? step.path, O_PATH | O_NOFOLLOW(arch) | O_CLOEXEC, 0]);
  const status = program.output(STATX_BYTES);
  program.call('statx', [source, '', AT_EMPTY_PATH, STATX_BASIC_STATS, status], { object: step.path });
  makeFile(target, step.path);
  const place = openInRoot(target, step.path, O_NOFOLLOW(arch));
  const node = cloneTree(target, source, '', false);
  attach(target, node, place, step.path);
  return { step, status };
}

export function compileDevice(target: Target, step: DeviceStep): DeviceCheck {
  target.program.step(`make the device ${step.path}`, step.configPath);
  return step.bind ? bindNode(target, step) : makeNode(target, step);
}

export function compileSymlink(target: Target, step: SymlinkStep): void {
  const { program, arch } = target;
  program.step(`link ${step.path} to ${step.target}`, step.configPath);
  const [directory, name] = splitPath(step.path);
  const parent = openInRoot(target, directory, O_DIRECTORY(arch));
  if (step.replace) program.call('unlinkat', [parent, name, 0], { ignore: ENOENT, object: step.path });
  program.call('symlinkat', [step.target, parent, name], { ignore: EEXIST });
}
