/** A device policy as an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE, which answers 1 to allow an access and 0 to deny it. Pure. */
import { and, encode, exit, type Instruction, jumpIfEqual, jumpIfNotEqual, loadWord, move, moveConstant, shiftRight } from './bpf.ts';
import { ACCESS_ALL, type DevicePolicy, type DeviceRule } from './device-rules.ts';

/** Registers. R1 holds the address of `struct bpf_cgroup_dev_ctx {u32 access_type, major, minor}` at the start. */
const RESULT = 0;
const CONTEXT = 1;
const TYPE = 2;
/** The bits of the access on which no rule has decided yet. */
const UNDECIDED = 3;
const MAJOR = 4;
const MINOR = 5;

/** BPF_DEVCG_DEV_… */
const DEVICE_TYPES = { b: 1, c: 2 } as const;

/** The program's bytes. */
export function deviceProgram(policy: DevicePolicy): ArrayBuffer {
  return encode([
    loadWord(TYPE, CONTEXT, 0),
    move(UNDECIDED, TYPE),
    and(TYPE, 0xffff),
    shiftRight(UNDECIDED, 16),
    loadWord(MAJOR, CONTEXT, 4),
    loadWord(MINOR, CONTEXT, 8),
    ...policy.rules.flatMap(ruleBlock),
    ...answer(policy.defaultAllow),
  ]);
}

/** Leads to the next block wherever the rule does not decide. */
function ruleBlock(rule: DeviceRule): Instruction[] {
  const tests: [register: number, value: number][] = [];
  if (rule.type !== 'a') tests.push([TYPE, DEVICE_TYPES[rule.type]]);
  if (rule.major !== undefined) tests.push([MAJOR, rule.major]);
  if (rule.minor !== undefined) tests.push([MINOR, rule.minor]);
  const decision = rule.allow ? allowBlock(rule.access) : denyBlock(rule.access);
  return [
    ...tests.map(([register, value], index) => jumpIfNotEqual(register, value, tests.length - index - 1 + decision.length)),
    ...decision,
  ];
}

/** Allowed bits are decided; with none left the access is allowed. */
function allowBlock(access: number): Instruction[] {
  const allowed = answer(true);
  if (access === ACCESS_ALL) return allowed;
  return [and(UNDECIDED, ~access), jumpIfNotEqual(UNDECIDED, 0, allowed.length), ...allowed];
}

/** One denied bit is enough to deny the access. */
function denyBlock(access: number): Instruction[] {
  const denied = answer(false);
  return [move(RESULT, UNDECIDED), and(RESULT, access), jumpIfEqual(RESULT, 0, denied.length), ...denied];
}

function answer(allow: boolean): Instruction[] {
  return [moveConstant(RESULT, allow ? 1 : 0), exit()];
}
