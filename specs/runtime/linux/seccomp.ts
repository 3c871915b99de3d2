import { array, integer, object, oneOf, optional, string, uint32, uint64 } from '../../schema/combinators.ts';
import type { Infer } from '../../schema/schema.ts';

const SECTION = { section: 'config-linux.md#seccomp' };

export const SECCOMP_ACTIONS = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
] as const;
export type SeccompAction = (typeof SECCOMP_ACTIONS)[number];

export const SECCOMP_OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;
export type SeccompOperator = (typeof SECCOMP_OPERATORS)[number];

export const SECCOMP_ARCHITECTURES = [
  'SCMP_ARCH_X86',
  'SCMP_ARCH_X86_64',
  'SCMP_ARCH_X32',
  'SCMP_ARCH_ARM',
  'SCMP_ARCH_AARCH64',
  'SCMP_ARCH_MIPS',
  'SCMP_ARCH_MIPS64',
  'SCMP_ARCH_MIPS64N32',
  'SCMP_ARCH_MIPSEL',
  'SCMP_ARCH_MIPSEL64',
  'SCMP_ARCH_MIPSEL64N32',
  'SCMP_ARCH_PPC',
  'SCMP_ARCH_PPC64',
  'SCMP_ARCH_PPC64LE',
  'SCMP_ARCH_S390',
  'SCMP_ARCH_S390X',
  'SCMP_ARCH_PARISC',
  'SCMP_ARCH_PARISC64',
  'SCMP_ARCH_RISCV64',
  'SCMP_ARCH_LOONGARCH64',
  'SCMP_ARCH_M68K',
  'SCMP_ARCH_SH',
  'SCMP_ARCH_SHEB',
] as const;
export type SeccompArchitecture = (typeof SECCOMP_ARCHITECTURES)[number];

export const SECCOMP_FLAGS = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
  'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
] as const;
export type SeccompFlag = (typeof SECCOMP_FLAGS)[number];

/** A condition on one argument of a system call; with SCMP_CMP_MASKED_EQ, `value` is the mask and `valueTwo` what is compared. */
export const SeccompArg = object(
  { index: integer(0, 5), value: uint64, valueTwo: optional(uint64), op: oneOf(SECCOMP_OPERATORS) },
  SECTION,
);
export interface SeccompArg extends Infer<typeof SeccompArg> {}

/** What happens to the named system calls, if all the conditions hold. */
export const SeccompSyscall = object(
  {
    names: array(string, { minItems: 1 }),
    action: oneOf(SECCOMP_ACTIONS),
    /** The errno of SCMP_ACT_ERRNO and the number for the tracer of SCMP_ACT_TRACE; absent: EPERM. */
    errnoRet: optional(uint32),
    args: optional(array(SeccompArg)),
  },
  SECTION,
);
export interface SeccompSyscall extends Infer<typeof SeccompSyscall> {}

/** The system-call filter (`config-linux.md#seccomp`). */
export const Seccomp = object(
  {
    defaultAction: oneOf(SECCOMP_ACTIONS),
    defaultErrnoRet: optional(uint32),
    architectures: optional(array(oneOf(SECCOMP_ARCHITECTURES))),
    /** Absent is not the same as empty: see the runtime's default for SPEC_ALLOW. */
    flags: optional(array(oneOf(SECCOMP_FLAGS))),
    /** Unix stream socket that gets the notification descriptor, when SCMP_ACT_NOTIFY is used. */
    listenerPath: optional(string),
    /** Sent along as `metadata`. */
    listenerMetadata: optional(string),
    syscalls: optional(array(SeccompSyscall)),
  },
  SECTION,
);
export interface Seccomp extends Infer<typeof Seccomp> {}
