/** What a filter answers to a system call, found out without making it. Pure. */
import {
  AND,
  DATA_ARCHITECTURE,
  DATA_ARGUMENTS,
  DATA_BYTES,
  DATA_NUMBER,
  INSTRUCTION_BYTES,
  JUMP,
  JUMP_EQUAL,
  JUMP_GREATER,
  JUMP_GREATER_OR_EQUAL,
  JUMP_SET,
  LOAD_WORD,
  RETURN,
} from './classic-bpf.ts';

export interface SyscallData {
  readonly number: number;
  /** AUDIT_ARCH_… */
  readonly architecture: number;
  readonly args?: readonly (number | bigint)[];
}

function seccompData({ number, architecture, args = [] }: SyscallData): DataView {
  const view = new DataView(new ArrayBuffer(DATA_BYTES));
  view.setUint32(DATA_NUMBER, number, true);
  view.setUint32(DATA_ARCHITECTURE, architecture, true);
  args.forEach((value, index) => {
    view.setBigUint64(DATA_ARGUMENTS + index * 8, BigInt.asUintN(64, BigInt(value)), true);
  });
  return view;
}

/** @throws Error for a program that no compiler of seccomp filters makes: it ends without an answer, or has another instruction */
export function interpret(program: ArrayBuffer, syscall: SyscallData): number {
  const data = seccompData(syscall);
  const view = new DataView(program);
  const count = program.byteLength / INSTRUCTION_BYTES;
  let accumulator = 0;
  for (let index = 0; index < count; index++) {
    const at = index * INSTRUCTION_BYTES;
    const code = view.getUint16(at, true);
    const operand = view.getUint32(at + 4, true);
    if (code === RETURN) return operand;
    if (code === LOAD_WORD) accumulator = data.getUint32(operand, true);
    else if (code === AND) accumulator = (accumulator & operand) >>> 0;
    else if (code === JUMP) index += operand;
    else index += view.getUint8(at + (holds(code, accumulator, operand) ? 2 : 3));
  }
  throw new Error('the filter ends without an answer');
}

function holds(code: number, accumulator: number, operand: number): boolean {
  switch (code) {
    case JUMP_EQUAL:
      return accumulator === operand;
    case JUMP_GREATER:
      return accumulator > operand;
    case JUMP_GREATER_OR_EQUAL:
      return accumulator >= operand;
    case JUMP_SET:
      return (accumulator & operand) !== 0;
    default:
      throw new Error(`unknown instruction 0x${code.toString(16)}`);
  }
}
