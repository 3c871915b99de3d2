/** A profile of config.json as the rules that libseccomp takes (config-linux.md, "Seccomp"). Pure. */
import type { Seccomp, SeccompArchitecture, SeccompArg, SeccompOperator, SeccompSyscall } from '../../../specs/runtime/linux/seccomp.ts';
import type { Architecture } from '../sys/sys.ts';
import { nativeArchitecture } from './architectures.ts';
import { ACTION_VALUES, actionValue } from './return-values.ts';

/** libseccomp's `enum scmp_compare`. */
export const OPERATOR_VALUES: Readonly<Record<SeccompOperator, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

/** A condition on an argument, as `struct scmp_arg_cmp` has it. */
export interface Condition {
  readonly argument: number;
  readonly operator: number;
  /** The mask, for SCMP_CMP_MASKED_EQ. */
  readonly first: bigint;
  /** What the masked argument is compared with. */
  readonly second: bigint;
}

/** Conditions that must all hold, no two of them on the same argument. */
export interface Rule {
  readonly name: string;
  readonly action: number;
  readonly conditions: readonly Condition[];
  /** `linux.seccomp.syscalls[2].names[0]` */
  readonly configPath: string;
}

/** An architecture that the profile names itself, beside the native one. */
export interface ForeignArchitecture {
  readonly name: SeccompArchitecture;
  readonly configPath: string;
}

export const SECCOMP_PATH = 'linux.seccomp';

export function defaultActionValue(seccomp: Seccomp): number {
  return actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
}

/** Rules in their order. What asks for the default action anyway is left out, since libseccomp refuses it. */
export function filterRules(seccomp: Seccomp): Rule[] {
  const defaultAction = defaultActionValue(seccomp);
  return (seccomp.syscalls ?? []).flatMap((syscall, index) => {
    const action = actionValue(syscall.action, syscall.errnoRet);
    return action === defaultAction ? [] : rulesOf(syscall, action, `${SECCOMP_PATH}.syscalls[${index}]`);
  });
}

function rulesOf({ names, args = [] }: SeccompSyscall, action: number, configPath: string): Rule[] {
  const alternatives = alternativeConditions(args);
  return names.flatMap((name, index) =>
    alternatives.map((conditions) => ({ name, action, conditions, configPath: `${configPath}.names[${index}]` })),
  );
}

/** As runc: conditions on the same argument (which libseccomp does not take) are alternatives, and then all conditions are. */
function alternativeConditions(args: readonly SeccompArg[]): (readonly Condition[])[] {
  const conditions = args.map(condition);
  const repeated = new Set(args.map(({ index }) => index)).size < args.length;
  return repeated ? conditions.map((one) => [one]) : [conditions];
}

function condition({ index, op, value, valueTwo }: SeccompArg): Condition {
  return { argument: index, operator: OPERATOR_VALUES[op], first: BigInt(value), second: BigInt(valueTwo ?? 0) };
}

/** The native architecture is always in a filter, so it is not among these. */
export function foreignArchitectures(seccomp: Seccomp, arch: Architecture): ForeignArchitecture[] {
  const native = nativeArchitecture(arch);
  const seen = new Set<SeccompArchitecture>([native]);
  return (seccomp.architectures ?? []).flatMap((name, index) => {
    if (seen.has(name)) return [];
    seen.add(name);
    return [{ name, configPath: `${SECCOMP_PATH}.architectures[${index}]` }];
  });
}

/** All names of a profile, also in rules that change nothing: its author knew of them. */
export function knownNames(seccomp: Seccomp): string[] {
  return [...new Set((seccomp.syscalls ?? []).flatMap(({ names }) => names))];
}

/**
 * Whether system calls newer than the profile are to answer ENOSYS, so that C libraries fall back to older ones. Not where calls that the profile does
 * not name are allowed: a tracer is supposed to deal with them itself.
 */
export function hidesNewSyscalls({ defaultAction }: Seccomp): boolean {
  const permissive: readonly number[] = [ACTION_VALUES.SCMP_ACT_ALLOW, ACTION_VALUES.SCMP_ACT_LOG, ACTION_VALUES.SCMP_ACT_TRACE];
  return !permissive.includes(ACTION_VALUES[defaultAction]);
}

/** Whether a listener is needed: some rule asks somebody else. */
export function notifies(seccomp: Seccomp): boolean {
  return (seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}
