/** From a profile to the program that the kernel runs: libseccomp compiles the rules, the answer to new system calls is put before them. */
import type { Seccomp } from '../../../specs/runtime/linux/seccomp.ts';
import { RuntimeError } from '../base/errors.ts';
import { call } from '../linux/call.ts';
import { EEXIST, errnoText } from '../linux/errno.ts';
import { close } from '../linux/files.ts';
import type { Address, Sys } from '../sys/sys.ts';
import { ARCHITECTURE_TOKENS, nativeArchitecture } from './architectures.ts';
import { encodeInstructions } from './classic-bpf.ts';
import { Library, UNKNOWN_SYSCALL } from './library.ts';
import { type HighestSyscall, newSyscallsPrefix } from './new-syscalls.ts';
import {
  type Condition,
  defaultActionValue,
  filterRules,
  foreignArchitectures,
  hidesNewSyscalls,
  knownNames,
  type Rule,
  SECCOMP_PATH,
} from './profile.ts';

const MFD_CLOEXEC = 1;
const CONDITION_BYTES = 24;
/** Below this a list is as good as a tree, and libseccomp up to 2.5.4 makes a wrong tree of no rules. */
const TREE_FROM_SYSCALLS = 32;
/** BPF_MAXINSNS. */
const INSTRUCTIONS_MAX = 4096;

/** Compiles for this machine; pure but for the library. @throws RuntimeError 'seccomp-library', 'seccomp' naming the refused rule */
export function compileProfile(sys: Sys, seccomp: Seccomp): ArrayBuffer {
  const library = new Library(sys);
  const filter = library.init(defaultActionValue(seccomp));
  if (filter === 0) throw refused(`${SECCOMP_PATH}.defaultAction`, `${seccomp.defaultAction} is not known here`);
  try {
    for (const { name, configPath } of foreignArchitectures(seccomp, sys.arch)) {
      const result = library.addArchitecture(filter, ARCHITECTURE_TOKENS[name]);
      if (result < 0 && result !== -EEXIST) throw refused(configPath, `${name} cannot be filtered by this machine's libseccomp`);
    }
    const names = knownNames(seccomp);
    if (names.length > TREE_FROM_SYSCALLS) library.optimizeAsTree(filter);
    const numbers = new Map(names.map((name) => [name, library.resolve(name)]));
    for (const rule of filterRules(seccomp)) addRule(sys, library, filter, rule, numbers.get(rule.name) ?? UNKNOWN_SYSCALL);
    const prefix = hidesNewSyscalls(seccomp) ? newSyscallsPrefix(highestSyscalls(sys, library, seccomp, numbers)) : [];
    return checkLength(join(encodeInstructions(prefix), exportProgram(sys, library, filter)));
  } finally {
    library.release(filter);
  }
}

function addRule(sys: Sys, library: Library, filter: Address, rule: Rule, syscall: number): void {
  // Profiles are written for more kernels and architectures than this one.
  if (syscall === UNKNOWN_SYSCALL) return;
  const result = library.addRule(filter, rule.action, syscall, {
    count: rule.conditions.length,
    structs: encodeConditions(rule.conditions),
  });
  if (result === 0) return;
  const why = result === -EEXIST ? 'it contradicts an earlier rule' : errnoText(-result);
  throw refused(rule.configPath, `libseccomp refuses the rule for ${rule.name} on ${sys.arch}: ${why}`);
}

function encodeConditions(conditions: readonly Condition[]): ArrayBuffer {
  const structs = new ArrayBuffer(conditions.length * CONDITION_BYTES);
  const view = new DataView(structs);
  conditions.forEach(({ argument, operator, first, second }, index) => {
    const at = index * CONDITION_BYTES;
    view.setUint32(at, argument, true);
    view.setUint32(at + 4, operator, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, first), true);
    view.setBigUint64(at + 16, BigInt.asUintN(64, second), true);
  });
  return structs;
}

/** Architectures on which the profile knows no system call at all are left to its filter. */
function highestSyscalls(sys: Sys, library: Library, seccomp: Seccomp, native: ReadonlyMap<string, number>): HighestSyscall[] {
  const names = [...native.keys()];
  const others = foreignArchitectures(seccomp, sys.arch).map(({ name: architecture }) => {
    const token = ARCHITECTURE_TOKENS[architecture];
    return { architecture, number: Math.max(-1, ...names.map((name) => library.resolveOn(token, name))) };
  });
  const own = { architecture: nativeArchitecture(sys.arch), number: Math.max(-1, ...native.values()) };
  return [own, ...others].filter(({ number }) => number >= 0);
}

function exportProgram(sys: Sys, library: Library, filter: Address): ArrayBuffer {
  const fd = call(sys, 'memfd_create', 'seccomp', 'seccomp', MFD_CLOEXEC);
  try {
    const result = library.exportTo(filter, fd);
    if (result < 0) throw refused(SECCOMP_PATH, `libseccomp cannot make a filter of the profile: ${errnoText(-result)}`);
    const program = new ArrayBuffer(INSTRUCTIONS_MAX * 16);
    const length = call(sys, 'pread64', 'seccomp', fd, program, program.byteLength, 0);
    return program.slice(0, length);
  } finally {
    close(sys, fd);
  }
}

function join(first: ArrayBuffer, second: ArrayBuffer): ArrayBuffer {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(new Uint8Array(first));
  both.set(new Uint8Array(second), first.byteLength);
  return both.buffer;
}

function checkLength(program: ArrayBuffer): ArrayBuffer {
  const count = program.byteLength / 8;
  if (count <= INSTRUCTIONS_MAX) return program;
  throw refused(SECCOMP_PATH, `the filter has ${count} instructions; the kernel takes at most ${INSTRUCTIONS_MAX}`);
}

function refused(configPath: string, message: string): RuntimeError {
  return new RuntimeError('seccomp', `${configPath}: ${message}`, { configPath });
}
