/**
 * The beginning of a filter that answers ENOSYS to system calls newer than its profile. Pure.
 *
 * A profile cannot deny what its author did not know: glibc tries a new system call first, and falls back to an older one only if the answer is
 * ENOSYS, not EPERM. So calls with numbers above the highest one in the profile get that answer, on each architecture, before the profile is asked.
 */
import type { SeccompArchitecture } from '../../../specs/runtime/linux/seccomp.ts';
import { ENOSYS } from '../linux/errno.ts';
import { auditArchitecture } from './architectures.ts';
import { Assembly, DATA_ARCHITECTURE, DATA_NUMBER, type Instruction, JUMP_EQUAL, JUMP_GREATER, JUMP_SET } from './classic-bpf.ts';
import { RET_ERRNO } from './return-values.ts';

/** Bit 30 marks the calls of x32, which have the architecture x86_64. */
export const X32_SYSCALL_BIT = 0x40000000;

/** The highest number of a system call in the profile, on an architecture of the filter. */
export interface HighestSyscall {
  readonly architecture: SeccompArchitecture;
  /** With x32, the mark is part of it. */
  readonly number: number;
}

/** Falls through to what follows it for everything else. Empty when the profile knows no system call on any architecture. */
export function newSyscallsPrefix(highest: readonly HighestSyscall[]): Instruction[] {
  const groups = new Map<number, HighestSyscall[]>();
  for (const one of highest) {
    const audit = auditArchitecture(one.architecture);
    groups.set(audit, [...(groups.get(audit) ?? []), one]);
  }
  if (groups.size === 0) return [];
  const assembly = new Assembly();
  assembly.load(DATA_ARCHITECTURE);
  for (const audit of groups.keys()) assembly.branch(JUMP_EQUAL, audit, `architecture ${audit}`);
  assembly.jump('filter');
  for (const [audit, group] of groups) {
    assembly.label(`architecture ${audit}`);
    assembly.load(DATA_NUMBER);
    if (audit === auditArchitecture('SCMP_ARCH_X86_64')) appendX86(assembly, group);
    else assembly.branch(JUMP_GREATER, group[0]?.number ?? 0, 'new', 'filter');
  }
  assembly.label('new');
  assembly.answer(RET_ERRNO | ENOSYS);
  assembly.label('filter');
  return assembly.instructions();
}

/** Where the profile leaves x32 or x86_64 out, its filter has an answer for that architecture. */
function appendX86(assembly: Assembly, group: readonly HighestSyscall[]): void {
  const find = (name: SeccompArchitecture): number | undefined => group.find(({ architecture }) => architecture === name)?.number;
  const [x86, x32] = [find('SCMP_ARCH_X86_64'), find('SCMP_ARCH_X32')];
  assembly.branch(JUMP_SET, X32_SYSCALL_BIT, 'x32');
  if (x86 === undefined) assembly.jump('filter');
  else assembly.branch(JUMP_GREATER, x86, 'new', 'filter');
  assembly.label('x32');
  if (x32 === undefined) assembly.jump('filter');
  else assembly.branch(JUMP_GREATER, x32, 'new', 'filter');
}
