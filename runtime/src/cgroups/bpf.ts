/** The few eBPF instructions that a device program is made of (Documentation/bpf/standardization/instruction-set.rst). Pure. */

export interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  /** Jump distance in instructions after the next one, or byte offset of a load. */
  readonly offset: number;
  readonly imm: number;
}

export const INSTRUCTION_BYTES = 8;

/** Opcodes: 32-bit arithmetic and jumps, so that numbers with the highest bit set are not taken for negative ones. */
export const LDX_MEM_W = 0x61;
export const MOV32_K = 0xb4;
export const MOV32_X = 0xbc;
export const AND32_K = 0x54;
export const RSH32_K = 0x74;
export const JEQ32_K = 0x16;
export const JNE32_K = 0x56;
export const EXIT = 0x95;

export function loadWord(dst: number, src: number, offset: number): Instruction {
  return { opcode: LDX_MEM_W, dst, src, offset, imm: 0 };
}

export function moveConstant(dst: number, imm: number): Instruction {
  return { opcode: MOV32_K, dst, src: 0, offset: 0, imm };
}

export function move(dst: number, src: number): Instruction {
  return { opcode: MOV32_X, dst, src, offset: 0, imm: 0 };
}

export function and(dst: number, imm: number): Instruction {
  return { opcode: AND32_K, dst, src: 0, offset: 0, imm };
}

export function shiftRight(dst: number, bits: number): Instruction {
  return { opcode: RSH32_K, dst, src: 0, offset: 0, imm: bits };
}

export function jumpIfEqual(dst: number, imm: number, offset: number): Instruction {
  return { opcode: JEQ32_K, dst, src: 0, offset, imm };
}

export function jumpIfNotEqual(dst: number, imm: number, offset: number): Instruction {
  return { opcode: JNE32_K, dst, src: 0, offset, imm };
}

export function exit(): Instruction {
  return { opcode: EXIT, dst: 0, src: 0, offset: 0, imm: 0 };
}

/** The program as the kernel takes it: `struct bpf_insn` after `struct bpf_insn`. Both supported architectures are little-endian. */
export function encode(instructions: readonly Instruction[]): ArrayBuffer {
  const buffer = new ArrayBuffer(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(buffer);
  instructions.forEach(({ opcode, dst, src, offset, imm }, index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint8(at, opcode);
    view.setUint8(at + 1, dst | (src << 4));
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, imm, true);
  });
  return buffer;
}
