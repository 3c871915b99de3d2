/** libseccomp by Sys: its functions, as far as a filter is compiled with them (seccomp_init(3) and so on). */
import { RuntimeError } from '../base/errors.ts';
import type { Address, CallArgument, Sys } from '../sys/sys.ts';
import { SECCOMP_PATH } from './profile.ts';

const LIBRARY = 'libseccomp.so.2';

/** SCMP_FLTATR_CTL_OPTIMIZE, and its value for a binary tree of system calls instead of a list. */
const ATTRIBUTE_OPTIMIZE = 8;
const OPTIMIZE_TREE = 2;

/** __NR_SCMP_ERROR: a name that the library does not know. Other negative numbers stand for calls that an architecture lacks. */
export const UNKNOWN_SYSCALL = -1;

const FUNCTIONS = [
  'seccomp_init',
  'seccomp_release',
  'seccomp_arch_add',
  'seccomp_attr_set',
  'seccomp_syscall_resolve_name',
  'seccomp_syscall_resolve_name_arch',
  'seccomp_rule_add_array',
  'seccomp_export_bpf',
] as const;
type FunctionName = (typeof FUNCTIONS)[number];

/** A loaded libseccomp. Results are 0 or a negated errno where nothing else is said. */
export class Library {
  readonly #sys: Sys;
  readonly #functions: Readonly<Record<FunctionName, Address>>;

  /** @throws RuntimeError 'seccomp-library' when it is not installed, or is older than version 2.5 */
  constructor(sys: Sys) {
    this.#sys = sys;
    const functions = Object.fromEntries(FUNCTIONS.map((name) => [name, sys.symbol(LIBRARY, name)]));
    if (functions['seccomp_init'] === 0) throw unusable(`${LIBRARY} is not installed`);
    if (Object.values(functions).includes(0)) throw unusable(`${LIBRARY} is too old`);
    this.#functions = functions as Record<FunctionName, Address>;
  }

  #call(name: FunctionName, ...args: CallArgument[]): number {
    return this.#sys.call(this.#functions[name], ...args);
  }

  /** A new filter, to be released; 0 for an action that library or kernel does not know. */
  init(defaultAction: number): Address {
    return this.#call('seccomp_init', defaultAction);
  }

  release(filter: Address): void {
    this.#call('seccomp_release', filter);
  }

  addArchitecture(filter: Address, token: number): number {
    return this.#call('seccomp_arch_add', filter, token) | 0;
  }

  /** Libraries that cannot do it (before 2.5) make a longer filter that answers the same. */
  optimizeAsTree(filter: Address): void {
    this.#call('seccomp_attr_set', filter, ATTRIBUTE_OPTIMIZE, OPTIMIZE_TREE);
  }

  /** The number of a system call on the native architecture, or UNKNOWN_SYSCALL. */
  resolve(name: string): number {
    return this.#call('seccomp_syscall_resolve_name', name) | 0;
  }

  resolveOn(token: number, name: string): number {
    return this.#call('seccomp_syscall_resolve_name_arch', token, name) | 0;
  }

  /** @param conditions `struct scmp_arg_cmp` for each */
  addRule(filter: Address, action: number, syscall: number, conditions: { readonly count: number; readonly structs: ArrayBuffer }): number {
    const { count, structs } = conditions;
    return this.#call('seccomp_rule_add_array', filter, action, syscall, count, count === 0 ? null : structs) | 0;
  }

  exportTo(filter: Address, fd: number): number {
    return this.#call('seccomp_export_bpf', filter, fd) | 0;
  }
}

function unusable(why: string): RuntimeError {
  return new RuntimeError('seccomp-library', `${SECCOMP_PATH}: cannot compile the filter: ${why}`, {
    configPath: SECCOMP_PATH,
    hint: 'install the package libseccomp2 (Debian) or libseccomp (Fedora, Alpine), version 2.5 or newer',
  });
}

/** "2.5.4", or undefined where there is no libseccomp. */
export function libraryVersion(sys: Sys): string | undefined {
  const pointer = sys.symbol(LIBRARY, 'seccomp_version');
  if (pointer === 0) return undefined;
  return new Uint32Array(sys.peek(sys.call(pointer), 12)).join('.');
}

/** The file that the library was loaded from, as the process's memory map names it; undefined when it cannot be told. */
export function libraryPath(memoryMap: string): string | undefined {
  return /\s(\/\S*\/libseccomp\.so\S*)$/m.exec(memoryMap)?.[1];
}
