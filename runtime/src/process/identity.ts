/** Who the process is: groups, user, capabilities, working directory, and what it cannot get back. */
import { RuntimeError } from '../base/errors.ts';
import { JUMP_IF_OK } from '../init/agent/protocol.ts';
import type { ProgramResults } from '../init/init-process.ts';
import { type Data, type Program, struct } from '../init/program.ts';
import { EPERM } from '../linux/errno.ts';
import {
  CLOSE_RANGE_ALL,
  LINUX_CAPABILITY_VERSION_3,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
} from '../linux/prctl.ts';
import { CAP_SYS_ADMIN } from '../plan/capabilities.ts';
import type { CapabilityMasks, IdentityStep } from '../plan/steps.ts';
import type { Target } from '../rootfs/paths.ts';

const PATH_MAX = 4096;

function has(mask: bigint, capability: number): boolean {
  return ((mask >> BigInt(capability)) & 1n) === 1n;
}

/**
 * Who has no capabilities to be set keeps what the change of user leaves, which is nothing but what is needed for the filter; execve takes that away.
 */
function keepAdmin(program: Program): void {
  const admin = Number(1n << CAP_SYS_ADMIN);
  const sets = struct(
    [admin, admin, 0, 0, 0, 0].map((word) => [4, word] as const),
    '{effective=CAP_SYS_ADMIN, permitted=CAP_SYS_ADMIN}',
  );
  program.call('capset', [capabilityHeader(), sets], { object: 'the capabilities' });
}

function capabilityHeader(): Data {
  return struct([
    [4, LINUX_CAPABILITY_VERSION_3],
    [4, 0],
  ]);
}

/** The bounding set is dropped while CAP_SETPCAP is still there: before the user changes. */
function dropBounding(program: Program, masks: CapabilityMasks): void {
  for (let capability = 0; capability <= masks.last; capability++) {
    if (!has(masks.bounding, capability)) {
      program.call('prctl', [PR_CAPBSET_DROP, capability, 0, 0, 0], { object: `the bounding capability ${capability}` });
    }
  }
}

function setCapabilities(program: Program, masks: CapabilityMasks, keepsAdmin: boolean): void {
  const kept = keepsAdmin ? 1n << CAP_SYS_ADMIN : 0n;
  const sets = [masks.effective | kept, masks.permitted | kept, masks.inheritable];
  const words = [0n, 32n].flatMap((shift) => sets.map((set) => [4, (set >> shift) & 0xffffffffn] as const));
  const note = `{effective=0x${masks.effective.toString(16)}, permitted=0x${masks.permitted.toString(16)}, inheritable=0x${masks.inheritable.toString(16)}}`;
  program.call('capset', [capabilityHeader(), struct(words, note)], { object: 'the capabilities' });
  program.call('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], { object: 'the ambient capabilities' });
  for (let capability = 0; capability <= masks.last; capability++) {
    if (has(masks.ambient, capability)) {
      program.call('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0], { object: `the ambient capability ${capability}` });
    }
  }
}

function setGroups(program: Program, step: IdentityStep): void {
  const list =
    step.groups.length === 0
      ? null
      : struct(
          step.groups.map((gid) => [4, gid] as const),
          `[${step.groups.join(', ')}]`,
        );
  const ignore = step.setGroupsMayFail ? { ignore: EPERM } : {};
  program.call('setgroups', [step.groups.length, list], { object: 'additional groups', ...ignore });
}

/**
 * The working directory as root first, since only root may be able to enter it; then as the user, since root may not be (NFS, FUSE).
 * Afterwards it must be inside the root: a descriptor that leaked in through /proc/self/fd would be outside (CVE-2024-21626).
 */
export function compileIdentity(target: Target, step: IdentityStep): (results: ProgramResults) => void {
  const { program } = target;
  const { capabilities } = step;
  program.step('become the user', step.configPath);
  // From a mount of the host's, even an empty one, `..` may lead to the host: none is in hand from here on (CVE-2016-9962, CVE-2024-21626).
  program.call('close_range', [target.fds.proc, CLOSE_RANGE_ALL, 0]);
  if (capabilities !== undefined) dropBounding(program, capabilities);
  program.call('prctl', [PR_SET_KEEPCAPS, 1, 0, 0, 0], { object: 'PR_SET_KEEPCAPS' });
  const asRoot = program.call('chdir', [step.cwd], { ignore: 'all' });
  // Where it is not allowed (an owner that is not mapped here, a read-only file system) the stream stays as it is.
  for (const fd of step.ownStreams) program.call('fchown', [fd, step.uid, -1], { ignore: 'all', object: `standard stream ${fd}` });
  if (step.setGroups) setGroups(program, step);
  program.call('setresgid', [step.gid, step.gid, step.gid], { object: `gid ${step.gid}` });
  program.call('setresuid', [step.uid, step.uid, step.uid], { object: `uid ${step.uid}` });
  program.call('prctl', [PR_SET_KEEPCAPS, 0, 0, 0, 0], { object: 'PR_SET_KEEPCAPS' });
  // Changing the user made the process traceable again.
  program.call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], { object: 'PR_SET_DUMPABLE' });
  if (capabilities !== undefined) setCapabilities(program, capabilities, step.keepsAdmin);
  else if (step.keepsAdmin && step.uid !== 0) keepAdmin(program);
  program.step('enter the working directory', 'process.cwd');
  const inside = program.place();
  program.test(asRoot);
  program.jumpTo(inside, JUMP_IF_OK);
  program.call('chdir', [step.cwd]);
  program.here(inside);
  const cwd = program.output(PATH_MAX);
  program.call('getcwd', [cwd, PATH_MAX]);
  program.call('umask', [step.umask]);
  if (step.noNewPrivileges) program.call('prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], { object: 'PR_SET_NO_NEW_PRIVS' });
  return (results) => {
    if (new Uint8Array(results.output(cwd))[0] === 0x2f) return;
    throw new RuntimeError('cwd-outside', `current working directory ${step.cwd} is outside of container mount namespace root`, {
      configPath: 'process.cwd',
    });
  };
}
