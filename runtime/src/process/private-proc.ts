/** A procfs that is the runtime's alone: mounted nowhere, so nobody can put something over it. */
import { JUMP_IF_ERROR } from '../init/agent/protocol.ts';
import {
  FSCONFIG_CMD_CREATE,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
} from '../linux/mount-flags.ts';
import { O_CLOEXEC } from '../linux/open-flags.ts';
import { cloneHostTree } from '../rootfs/attach.ts';
import type { Target } from '../rootfs/paths.ts';

/** Opens it once in a program, at `fds.proc`. */
export function openPrivateProc(target: Target): void {
  const { program, fds, opened } = target;
  if (opened.proc) return;
  opened.proc = true;
  program.step('open a private procfs');
  const denied = program.place();
  const done = program.place();
  const context = program.call('fsopen', ['proc', FSOPEN_CLOEXEC]);
  program.call('fsconfig', [context, FSCONFIG_CMD_CREATE, null, null, 0], { object: 'proc' });
  program.jumpTo(denied, JUMP_IF_ERROR);
  const mount = program.call('fsmount', [context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC], {
    object: 'proc',
  });
  program.jumpTo(denied, JUMP_IF_ERROR);
  program.call('dup3', [mount, fds.proc, O_CLOEXEC]);
  program.jump(done);
  // A user namespace whose pid namespace is the host's may not mount procfs: then the host's own tree serves, copied before anything covers it.
  program.here(denied);
  const tree = cloneHostTree(target, '/proc', true);
  program.call('dup3', [tree, fds.proc, O_CLOEXEC]);
  program.here(done);
}
