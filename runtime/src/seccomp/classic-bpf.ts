/** The classic BPF instructions that seccomp filters are made of (linux/filter.h; Documentation/networking/filter.rst). Pure. */

/** `struct sock_filter`. */
export interface Instruction {
  readonly code: number;
  /** Instructions to skip when a condition holds, and when not. */
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly operand: number;
}

export const INSTRUCTION_BYTES = 8;

export const LOAD_WORD = 0x20;
export const JUMP = 0x05;
export const JUMP_EQUAL = 0x15;
export const JUMP_GREATER = 0x25;
export const JUMP_GREATER_OR_EQUAL = 0x35;
export const JUMP_SET = 0x45;
export const AND = 0x54;
export const RETURN = 0x06;

/** `struct seccomp_data`: the system call's number, the architecture, where it was made, its arguments (low half first). */
export const DATA_NUMBER = 0;
export const DATA_ARCHITECTURE = 4;
export const DATA_INSTRUCTION_POINTER = 8;
export const DATA_ARGUMENTS = 16;
export const DATA_BYTES = 64;

/** Where a jump leads: a label, or undefined for the next instruction. */
type Destination = string | undefined;

type Item =
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'plain'; readonly code: number; readonly operand: number }
  | { readonly kind: 'jump'; readonly to: string }
  | { readonly kind: 'branch'; readonly code: number; readonly operand: number; readonly yes: Destination; readonly no: Destination };

const MAX_BRANCH = 255;

/** Instructions with labels, which jumps lead forward to. */
export class Assembly {
  readonly #items: Item[] = [];
  readonly #labels = new Map<string, number>();
  #length = 0;

  #push(item: Item): void {
    this.#items.push(item);
    if (item.kind !== 'label') this.#length++;
  }

  label(name: string): void {
    this.#labels.set(name, this.#length);
    this.#push({ kind: 'label', name });
  }

  load(offset: number): void {
    this.#push({ kind: 'plain', code: LOAD_WORD, operand: offset });
  }

  answer(value: number): void {
    this.#push({ kind: 'plain', code: RETURN, operand: value });
  }

  jump(to: string): void {
    this.#push({ kind: 'jump', to });
  }

  /** @param code JUMP_EQUAL and its kin. A branch reaches 255 instructions. */
  branch(code: number, operand: number, yes: Destination, no?: Destination): void {
    this.#push({ kind: 'branch', code, operand, yes, no });
  }

  /** The instructions; a label at the very end leads to whatever follows them. */
  instructions(): Instruction[] {
    let position = 0;
    return this.#items.flatMap((item): Instruction[] => {
      if (item.kind === 'label') return [];
      position++;
      switch (item.kind) {
        case 'plain':
          return [{ code: item.code, whenTrue: 0, whenFalse: 0, operand: item.operand }];
        case 'jump':
          return [{ code: JUMP, whenTrue: 0, whenFalse: 0, operand: this.#distance(item.to, position) }];
        case 'branch': {
          const whenTrue = this.#branchDistance(item.yes, position);
          return [{ code: item.code, whenTrue, whenFalse: this.#branchDistance(item.no, position), operand: item.operand }];
        }
        default:
          return item satisfies never;
      }
    });
  }

  #distance(to: string, from: number): number {
    const position = this.#labels.get(to) ?? -1;
    if (position < from) throw new Error(`there is no label ${to} ahead`);
    return position - from;
  }

  #branchDistance(to: Destination, from: number): number {
    const distance = to === undefined ? 0 : this.#distance(to, from);
    if (distance > MAX_BRANCH) throw new Error(`a branch to ${to} would skip ${distance} instructions`);
    return distance;
  }
}

/** As the kernel takes it. Both supported architectures are little-endian. */
export function encodeInstructions(instructions: readonly Instruction[]): ArrayBuffer {
  const buffer = new ArrayBuffer(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(buffer);
  instructions.forEach(({ code, whenTrue, whenFalse, operand }, index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, whenTrue);
    view.setUint8(at + 3, whenFalse);
    view.setUint32(at + 4, operand, true);
  });
  return buffer;
}

export function decodeInstructions(bytes: ArrayBuffer): Instruction[] {
  const view = new DataView(bytes);
  return Array.from({ length: Math.floor(bytes.byteLength / INSTRUCTION_BYTES) }, (_, index) => {
    const at = index * INSTRUCTION_BYTES;
    return {
      code: view.getUint16(at, true),
      whenTrue: view.getUint8(at + 2),
      whenFalse: view.getUint8(at + 3),
      operand: view.getUint32(at + 4, true),
    };
  });
}
