/** A profile of the size and kind that engines ship: nearly all system calls by name, some of them under conditions, everything else denied. */
import { existsSync } from 'node:fs';
import type { Requirement } from '../../.scripts/jest/requirement.ts';
import type { Seccomp } from '../../specs/runtime/linux/seccomp.ts';
import { ARCHITECTURE_TOKENS, nativeArchitecture } from '../src/seccomp/architectures.ts';
import { createNodeSys } from '../src/sys/node.ts';

const LIBRARY = 'libseccomp.so.2';
const LAST_SYSCALL = 448;

const sys = createNodeSys();
export const libseccomp: Requirement = { what: 'libseccomp', met: sys.symbol(LIBRARY, 'seccomp_init') !== 0 };
export const seccompKernel: Requirement = { what: 'seccomp in the kernel', met: existsSync('/proc/sys/kernel/seccomp/actions_avail') };

/** What would change the host, or look into other processes. */
const DENIED =
  /^(mount|umount2?|pivot_root|reboot|k?exec_load|kexec_file_load|init_module|finit_module|delete_module|swapo(n|ff)|bpf|perf_event_open|ptrace|process_vm_\w+|add_key|request_key|keyctl|unshare|setns|fs(open|config|mount|pick)|move_mount|open_tree|mount_setattr|open_by_handle_at|settimeofday|clock_settime|adjtimex|clock_adjtime|acct|quotactl\w*|iop[le]\w*|lookup_dcookie|nfsservctl|userfaultfd|syslog|vm86\w*|_sysctl|ustat|sysfs|uselib|get_mempolicy|set_mempolicy|mbind|move_pages|kcmp|personality|socket|clone|clone3|sethostname|setdomainname|vhangup|chroot)$/;

/** The names that libseccomp has for the numbers of this machine. */
export function syscallNames(): string[] {
  const resolve = sys.symbol(LIBRARY, 'seccomp_syscall_resolve_num_arch');
  const strlen = sys.symbol('libc.so.6', 'strlen');
  const token = ARCHITECTURE_TOKENS[nativeArchitecture(sys.arch)];
  return Array.from({ length: LAST_SYSCALL + 1 }, (_, number) => {
    const text = sys.call(resolve, token, number);
    return text === 0 ? '' : sys.decode(sys.peek(text, sys.call(strlen, text)));
  }).filter((name) => name !== '');
}

export function engineProfile(): Seccomp {
  const names = syscallNames().filter((name) => !DENIED.test(name));
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: sys.arch === 'x86_64' ? ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] : ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
    syscalls: [
      { names: [...names, 'no_such_system_call'], action: 'SCMP_ACT_ALLOW' },
      // Not of VMs.
      { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
      ...[0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((value) => ({
        names: ['personality'],
        action: 'SCMP_ACT_ALLOW' as const,
        args: [{ index: 0, value, op: 'SCMP_CMP_EQ' as const }],
      })),
      // Without new namespaces.
      { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ],
  };
}
