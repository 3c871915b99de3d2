/** Architectures by libseccomp's names: its tokens (seccomp.h), which are the kernel's AUDIT_ARCH_… but for x32 (linux/audit.h). */
import type { SeccompArchitecture } from '../../../specs/runtime/linux/seccomp.ts';
import type { Architecture } from '../sys/sys.ts';

export const ARCHITECTURE_TOKENS: Readonly<Record<SeccompArchitecture, number>> = {
  SCMP_ARCH_X86: 0x40000003,
  SCMP_ARCH_X86_64: 0xc000003e,
  SCMP_ARCH_X32: 0x4000003e,
  SCMP_ARCH_ARM: 0x40000028,
  SCMP_ARCH_AARCH64: 0xc00000b7,
  SCMP_ARCH_MIPS: 0x00000008,
  SCMP_ARCH_MIPS64: 0x80000008,
  SCMP_ARCH_MIPS64N32: 0xa0000008,
  SCMP_ARCH_MIPSEL: 0x40000008,
  SCMP_ARCH_MIPSEL64: 0xc0000008,
  SCMP_ARCH_MIPSEL64N32: 0xe0000008,
  SCMP_ARCH_PPC: 0x00000014,
  SCMP_ARCH_PPC64: 0x80000015,
  SCMP_ARCH_PPC64LE: 0xc0000015,
  SCMP_ARCH_S390: 0x00000016,
  SCMP_ARCH_S390X: 0x80000016,
  SCMP_ARCH_PARISC: 0x0000000f,
  SCMP_ARCH_PARISC64: 0x8000000f,
  SCMP_ARCH_RISCV64: 0xc00000f3,
  SCMP_ARCH_LOONGARCH64: 0xc0000102,
  SCMP_ARCH_M68K: 0x00000004,
  SCMP_ARCH_SH: 0x4000002a,
  SCMP_ARCH_SHEB: 0x0000002a,
};

const NATIVE: Readonly<Record<Architecture, SeccompArchitecture>> = { x86_64: 'SCMP_ARCH_X86_64', aarch64: 'SCMP_ARCH_AARCH64' };

export function nativeArchitecture(arch: Architecture): SeccompArchitecture {
  return NATIVE[arch];
}

/** What the kernel puts into `seccomp_data.arch`: x32 shares that of x86_64, and marks its calls' numbers. */
export function auditArchitecture(name: SeccompArchitecture): number {
  return ARCHITECTURE_TOKENS[name === 'SCMP_ARCH_X32' ? 'SCMP_ARCH_X86_64' : name];
}
