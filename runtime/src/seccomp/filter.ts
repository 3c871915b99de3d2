/** A filter ready to be loaded: from the cache, or compiled. */
import type { Seccomp } from '../../../specs/runtime/linux/seccomp.ts';
import type { Architecture, Sys } from '../sys/sys.ts';
import { auditArchitecture, nativeArchitecture } from './architectures.ts';
import { readCached, writeCached } from './cache.ts';
import { compileProfile } from './compile.ts';
import { filterFlags } from './flags.ts';
import { interpret } from './interpret.ts';
import { notifies } from './profile.ts';
import { RET_ACTION_FULL, RET_ALLOW, RET_LOG } from './return-values.ts';

export interface Filter {
  /** `struct sock_filter` after `struct sock_filter`. */
  readonly program: ArrayBuffer;
  /** Of seccomp(2), without NEW_LISTENER. */
  readonly flags: number;
  /** Some calls are decided by somebody else, who gets a listener. */
  readonly notifies: boolean;
}

/**
 * @param cacheDirectory where compiled filters are kept; undefined for none
 * @throws RuntimeError as `compileProfile`
 */
export function prepareFilter(sys: Sys, seccomp: Seccomp, cacheDirectory?: string): Filter {
  return { program: programOf(sys, seccomp, cacheDirectory), flags: filterFlags(seccomp), notifies: notifies(seccomp) };
}

function programOf(sys: Sys, seccomp: Seccomp, cacheDirectory: string | undefined): ArrayBuffer {
  if (cacheDirectory === undefined) return compileProfile(sys, seccomp);
  const key = profileKey(seccomp, sys.arch);
  const cached = readCached(sys, cacheDirectory, key);
  if (cached !== undefined) return cached;
  const program = compileProfile(sys, seccomp);
  writeCached(sys, cacheDirectory, key, program);
  return program;
}

/** All of a profile that its program depends on, as text. */
function profileKey(seccomp: Seccomp, arch: Architecture): string {
  const { defaultAction, defaultErrnoRet, architectures, syscalls } = seccomp;
  const profile = { arch, defaultAction, defaultErrnoRet, architectures, syscalls };
  try {
    return JSON.stringify(profile);
  } catch (error) {
    // Arguments beyond 2^53 are bigints.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(profile, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  }
}

/** Whether a filter lets a system call of the native architecture pass, its arguments being 0 where the filter looks at them. */
export function allows(filter: Filter, arch: Architecture, number: number): boolean {
  const architecture = auditArchitecture(nativeArchitecture(arch));
  const answer = (interpret(filter.program, { number, architecture }) & RET_ACTION_FULL) >>> 0;
  return answer === RET_ALLOW || answer === RET_LOG;
}
