/** Does the kernel have what every container takes? It is asked by calls that it must refuse: an unknown call is refused otherwise. */
import { tryCall } from '../../linux/call.ts';
import { ENOSYS } from '../../linux/errno.ts';
import { readFileIfExists } from '../../linux/files.ts';
import type { SyscallName } from '../../linux/syscall-numbers.ts';
import type { CallArgument, Sys } from '../../sys/sys.ts';
import type { Examination, Finding } from './finding.ts';

const NOT_A_FD = -1;
const ALL_FLAGS = 0xffffffff;

/** Calls that Linux got since 3.17, with arguments that cannot succeed; and what they are needed for. */
const CALLS: readonly (readonly [SyscallName, string, readonly CallArgument[]])[] = [
  ['memfd_create', 'the init agent', [null, ALL_FLAGS]],
  ['seccomp', 'system call filters', [ALL_FLAGS, 0, null]],
  ['statx', 'file status', [NOT_A_FD, null, ALL_FLAGS, 0, null]],
  ['pidfd_send_signal', 'signals that reach the right process', [NOT_A_FD, 0, null, ALL_FLAGS]],
  ['pidfd_open', 'waiting for processes', [NOT_A_FD, 0]],
  ['open_tree', 'mounts', [NOT_A_FD, null, ALL_FLAGS]],
  ['move_mount', 'mounts', [NOT_A_FD, null, NOT_A_FD, null, ALL_FLAGS]],
  ['fsopen', 'mounts', [null, ALL_FLAGS]],
  ['fsconfig', 'mounts', [NOT_A_FD, ALL_FLAGS, null, null, 0]],
  ['fsmount', 'mounts', [NOT_A_FD, ALL_FLAGS, 0]],
  ['clone3', 'processes that are born in their cgroup', [null, 0]],
  ['openat2', 'paths that cannot leave the root file system', [NOT_A_FD, null, null, 0]],
  ['pidfd_getfd', 'descriptors of other processes', [NOT_A_FD, NOT_A_FD, ALL_FLAGS]],
  ['close_range', 'closing what must not reach the container', [1, 0, 0]],
  ['mount_setattr', 'attributes of mounts', [NOT_A_FD, null, ALL_FLAGS, null, 0]],
];

/** Only these can be done without: there is another way, which is slower. */
const DISPENSABLE: readonly SyscallName[] = ['clone3', 'pidfd_getfd'];

export function examineKernel({ sys }: Examination): Finding[] {
  const release = (readFileIfExists(sys, '/proc/sys/kernel/osrelease') ?? '').trim();
  const missing = CALLS.filter(([name, , args]) => tryCall(sys, name, ...args) === -ENOSYS);
  return [
    systemCalls(
      sys,
      release,
      missing.map(([name, use]) => ({ name, use })),
    ),
    procfs(release),
  ];
}

function systemCalls(sys: Sys, release: string, missing: readonly { readonly name: SyscallName; readonly use: string }[]): Finding {
  const found = { area: 'kernel', subject: 'system calls' };
  if (missing.length === 0)
    return { ...found, verdict: 'ok', message: `Linux ${release} has all ${CALLS.length} newer calls that containers take` };
  const names = missing.map(({ name, use }) => `${name} (${use})`).join(', ');
  const filtered = /^Seccomp:\s*[12]/m.test(readFileIfExists(sys, '/proc/self/status') ?? '');
  return {
    ...found,
    verdict: missing.every(({ name }) => DISPENSABLE.includes(name)) ? 'limited' : 'missing',
    message: `${names}: ${filtered ? 'a seccomp filter around this process hides them' : `Linux ${release} does not have them`}`,
    remedy: filtered ? 'start the outer container with --security-opt seccomp=unconfined' : 'boot a kernel of version 5.14 or newer',
  };
}

function procfs(release: string): Finding {
  const found = { area: 'kernel', subject: '/proc' };
  if (release !== '') return { ...found, verdict: 'ok', message: 'procfs is mounted' };
  return { ...found, verdict: 'missing', message: 'procfs is not mounted at /proc', remedy: 'mount -t proc proc /proc' };
}
