/** Steps that change the process itself, as system calls. */

import { RLIMIT_TYPES } from '../../../specs/runtime/process.ts';
import type { ProgramResults } from '../init/init-process.ts';
import { type Program, struct } from '../init/program.ts';
import { ENOSYS } from '../linux/errno.ts';
import { O_WRONLY, RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV } from '../linux/open-flags.ts';
import {
  IFF_LOOPBACK,
  IFF_RUNNING,
  IFF_UP,
  KEYCTL_JOIN_SESSION_KEYRING,
  KEYCTL_SETPERM,
  PR_SET_DUMPABLE,
  SIOCSIFFLAGS,
} from '../linux/prctl.ts';
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM } from '../linux/sockets.ts';
import { namespaceFlags } from '../plan/namespaces.ts';
import type {
  KeyringStep,
  LabelStep,
  LoopbackStep,
  MemoryPolicyStep,
  ProcessStep,
  RlimitStep,
  SchedulerStep,
  SysctlStep,
} from '../plan/steps.ts';
import { openBelow, type Target } from '../rootfs/paths.ts';
import { compileIdentity } from './identity.ts';
import { openPrivateProc } from './private-proc.ts';

export type Check = (results: ProgramResults) => void;
const NO_CHECK: Check = () => undefined;

const IFNAMSIZ = 16;
const IFREQ_BYTES = 40;

function compileLoopback(program: Program, step: LoopbackStep): void {
  program.step('bring up the loopback device', step.configPath);
  const socket = program.call('socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
  const request = new Uint8Array(IFREQ_BYTES);
  request.set([0x6c, 0x6f]); // "lo"
  new DataView(request.buffer).setUint16(IFNAMSIZ, IFF_UP | IFF_LOOPBACK | IFF_RUNNING, true);
  program.call('ioctl', [socket, SIOCSIFFLAGS, { kind: 'data', bytes: request, pointers: [], note: '{lo, up}' }], { object: 'lo' });
}

/** Writes below the runtime's own procfs: a file system that the container mounted over /proc cannot take or redirect it (CVE-2025-52881). */
function writeBelowProc(target: Target, path: string, value: string): void {
  const { program, fds } = target;
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  const file = openBelow(target, fds.proc, path, { flags: O_WRONLY, resolve });
  program.call('write', [file, value, utf8Length(value)], { object: `/proc/${path}` });
}

function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else length += code < 0x10000 ? 3 : 4;
  }
  return length;
}

function compileSysctl(target: Target, step: SysctlStep): void {
  openPrivateProc(target);
  target.program.step(`set the sysctl ${step.file}`, step.configPath);
  writeBelowProc(target, `sys/${step.file}`, step.value);
}

function compileLabel(target: Target, step: LabelStep): void {
  openPrivateProc(target);
  target.program.step(`set the ${step.module} label`, step.configPath);
  if (step.module === 'apparmor') writeBelowProc(target, 'self/attr/apparmor/exec', `exec ${step.label}`);
  else writeBelowProc(target, 'self/attr/exec', step.label);
}

export function compileRlimit(program: Program, step: RlimitStep): void {
  program.step('set the resource limits', step.configPath);
  const limit = struct(
    [
      [8, step.soft],
      [8, step.hard],
    ],
    `{soft=${step.soft}, hard=${step.hard}}`,
  );
  program.call('prlimit64', [0, step.resource, limit, null], { object: `${RLIMIT_TYPES[step.resource]} ${limit.note}` });
}

function compileScheduler(program: Program, step: SchedulerStep): void {
  program.step('set the scheduler', step.configPath);
  const attributes = struct(
    [
      [4, 48],
      [4, step.policy],
      [8, step.flags],
      [4, step.nice],
      [4, step.priority],
      [8, step.runtimeNs],
      [8, step.deadlineNs],
      [8, step.periodNs],
    ],
    `{policy=${step.policy}, nice=${step.nice}, priority=${step.priority}}`,
  );
  program.call('sched_setattr', [0, attributes, 0]);
}

function compileMemoryPolicy(program: Program, step: MemoryPolicyStep): void {
  program.step('set the memory policy', step.configPath);
  const mask = struct(step.nodeMask.map((word) => [8, word] as const));
  // The kernel reads one bit less than it is told (mm/mempolicy.c, get_nodes).
  const bits = step.nodeMask.length * 64;
  program.call('set_mempolicy', [step.mode, bits === 0 ? null : mask, bits === 0 ? 0 : bits + 1]);
}

/** A new keyring's rights (keyrings(7)), and the user's right to find it. */
const FINDABLE = 0x3f1b0000;

function compileKeyring(program: Program, step: KeyringStep): void {
  // Kernels without keys, and seccomp profiles around the runtime (in docker), answer ENOSYS: then there is no keyring to leak either.
  const keyring = program.call('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, step.name], { ignore: ENOSYS });
  if (step.findable) program.call('keyctl', [KEYCTL_SETPERM, keyring, FINDABLE], { ignore: 'all' });
}

/** Appends a step to the target's program. */
export function compileProcessStep(target: Target, step: ProcessStep): Check {
  const { program } = target;
  switch (step.kind) {
    case 'become-root':
      program.step('become root of the user namespace', step.configPath);
      program.call('setresgid', [0, 0, 0]);
      program.call('setresuid', [0, 0, 0]);
      break;
    case 'unshare':
      program.step(`create the namespaces ${step.namespaces.join(', ')}`, step.configPath);
      program.call('unshare', [namespaceFlags(step.namespaces)], { object: step.namespaces.join(', ') });
      break;
    case 'session':
      program.step('lead a session');
      program.call('setsid', []);
      program.call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], { object: 'PR_SET_DUMPABLE' });
      program.call('umask', [0]);
      break;
    case 'keyring':
      program.step('join a session keyring', step.configPath);
      compileKeyring(program, step);
      break;
    case 'loopback':
      compileLoopback(program, step);
      break;
    case 'hostname':
    case 'domainname':
      program.step(`set the ${step.kind}`, step.configPath);
      program.call(step.kind === 'hostname' ? 'sethostname' : 'setdomainname', [step.name, utf8Length(step.name)]);
      break;
    case 'sysctl':
      compileSysctl(target, step);
      break;
    case 'rlimit':
      compileRlimit(program, step);
      break;
    case 'scheduler':
      compileScheduler(program, step);
      break;
    case 'io-priority':
      program.step('set the I/O priority', step.configPath);
      program.call('ioprio_set', [1, 0, step.value]);
      break;
    case 'personality':
      program.step('set the personality', step.configPath);
      program.call('personality', [step.persona]);
      break;
    case 'memory-policy':
      compileMemoryPolicy(program, step);
      break;
    case 'label':
      compileLabel(target, step);
      break;
    case 'identity':
      return compileIdentity(target, step);
    default:
      return step satisfies never;
  }
  return NO_CHECK;
}
