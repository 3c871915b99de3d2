/** Laying out a program for the agent. The message format is described in `agent/README.md`. */
import { RuntimeError } from '../base/errors.ts';
import { syscallNumber } from '../linux/syscall-numbers.ts';
import type { Sys } from '../sys/sys.ts';
import { BUF, HEADER_SIZE, OP_IGNORED_ERRNO, OP_JUMP, OP_RESULT, OP_SIZE, SIZE, STORE, STORE32 } from './agent/protocol.ts';
import type { Argument, Data, Operation, Output, Program } from './program.ts';

const TWO_32 = 0x100000000;

/** A program ready to be sent: the bytes, and how to read the reply. */
export interface EncodedProgram {
  readonly message: ArrayBuffer;
  /** Bytes that the agent will send back; 0 when it will not answer. */
  readonly replyBytes: number;
}

/** Places data objects after the operations and outputs, each once, eight-byte aligned. */
class Layout {
  readonly #sys: Sys;
  readonly #texts = new Map<string, number>();
  readonly #datas = new Map<Data, number>();
  readonly #pieces: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  readonly #pointers: { readonly offset: number; readonly target: number }[] = [];
  readonly #outputOffsets: readonly number[];
  end: number;

  constructor(sys: Sys, start: number, outputOffsets: readonly number[]) {
    this.#sys = sys;
    this.end = start;
    this.#outputOffsets = outputOffsets;
  }

  #place(bytes: Uint8Array): number {
    const offset = this.end;
    this.#pieces.push({ offset, bytes });
    this.end = (offset + bytes.length + 7) & ~7;
    return offset;
  }

  text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (text.includes('\0')) throw new TypeError(`text for the kernel holds a NUL character: ${JSON.stringify(text)}`);
    const encoded = new Uint8Array(this.#sys.encode(text));
    const offset = this.#place(encoded);
    // The terminating NUL: the message is zeroed, so reserving one byte more is enough.
    this.end = (offset + encoded.length + 8) & ~7;
    this.#texts.set(text, offset);
    return offset;
  }

  data(value: Data): number {
    const known = this.#datas.get(value);
    if (known !== undefined) return known;
    const offset = this.#place(value.bytes);
    this.#datas.set(value, offset);
    for (const [at, target] of value.pointers) {
      this.#pointers.push({ offset: offset + at, target: this.place(target) });
    }
    return offset;
  }

  place(target: Data | Output | string): number {
    if (typeof target === 'string') return this.text(target);
    return target.kind === 'data' ? this.data(target) : (this.#outputOffsets[target.index] ?? 0);
  }

  write(message: ArrayBuffer): void {
    const bytes = new Uint8Array(message);
    const words = new Uint32Array(message);
    for (const piece of this.#pieces) bytes.set(piece.bytes, piece.offset);
    // Pointers inside data may lie at any offset that is a multiple of four: addresses fit in 32 bits.
    for (const { offset, target } of this.#pointers) words[offset >> 2] = BUF + target;
  }
}

interface Frame {
  readonly words: Uint32Array;
  readonly layout: Layout;
}

/** Writes an argument that is neither a number nor text; returns the flag bit of an indirect one. */
function encodeObject(frame: Frame, argument: Exclude<Argument, number | string | null>, index: number, position: number): number {
  const { words, layout } = frame;
  if (typeof argument === 'bigint') {
    words[index] = Number(BigInt.asUintN(32, argument));
    words[index + 1] = Number(BigInt.asUintN(32, argument >> 32n));
  } else if (argument.kind !== 'result') words[index] = BUF + layout.place(argument);
  else {
    words[index] = BUF + HEADER_SIZE + argument.op * OP_SIZE + OP_RESULT;
    return 1 << position;
  }
  return 0;
}

/** The innermost loop of every command: a container takes hundreds of operations. */
function encodeOperation(sys: Sys, frame: Frame, operation: Operation, index: number): void {
  const { words, layout } = frame;
  const { args } = operation;
  const at = (HEADER_SIZE + index * OP_SIZE) >> 2;
  let { flags } = operation;
  for (let position = 0; position < args.length; position++) {
    const argument = args[position];
    const word = at + 2 + position * 2;
    if (typeof argument === 'number') {
      words[word] = argument;
      if (argument < 0) words[word + 1] = 0xffffffff;
      else if (argument >= TWO_32) words[word + 1] = Math.floor(argument / TWO_32);
    } else if (typeof argument === 'string') words[word] = BUF + layout.text(argument);
    else if (argument !== null && argument !== undefined) {
      const indirect = encodeObject(frame, argument, word, position);
      // A store's first argument is the address itself, not what is there.
      if (indirect !== 0 && !(position === 0 && (flags & (STORE | STORE32)) !== 0)) flags |= indirect;
    }
  }
  words[at] = operation.call === 'store' ? 0 : syscallNumber(sys.arch, operation.call);
  words[at + 1] = flags;
  words[at + OP_JUMP / 4] = operation.jump;
  words[at + OP_IGNORED_ERRNO / 4] = operation.ignoredErrno;
}

export function encodeProgram(sys: Sys, program: Program): EncodedProgram {
  const count = program.operations.length;
  let offset = HEADER_SIZE + count * OP_SIZE;
  const outputOffsets = program.outputs.map((output) => {
    const at = offset;
    offset = (offset + output.sizeBytes + 7) & ~7;
    return at;
  });
  const replyBytes = program.silent ? 0 : offset;
  const layout = new Layout(sys, offset, outputOffsets);
  // Operations are written into their own buffer first, since the data's size is known only after all of them were seen.
  const head = new ArrayBuffer(offset);
  const frame: Frame = { words: new Uint32Array(head), layout };
  let index = 0;
  for (const operation of program.operations) encodeOperation(sys, frame, operation, index++);
  const length = layout.end;
  if (length > SIZE)
    throw new RuntimeError('program-too-large', `arguments and environment need ${length} bytes; at most ${SIZE} can be passed`);
  const message = new ArrayBuffer(length);
  new Uint8Array(message).set(new Uint8Array(head));
  layout.write(message);
  const words = new Uint32Array(message, 0, 4);
  words[0] = length;
  words[1] = count;
  words[3] = replyBytes;
  return { message, replyBytes };
}

/** What the agent answered: the result of each operation that ran, and the outputs. */
export interface Results {
  /** Operations that ran, or were jumped over, before the end or the failure. */
  readonly done: number;
  /** The result of the operation at an index. */
  value(index: number): number;
  readonly outputs: readonly ArrayBuffer[];
}

/** Reads a reply to a program of `count` operations with outputs of these sizes. */
export function decodeReply(reply: ArrayBuffer, count: number, outputSizes: readonly number[]): Results {
  const view = new DataView(reply);
  const value = (index: number): number => {
    const at = HEADER_SIZE + index * OP_SIZE + OP_RESULT;
    return view.getInt32(at + 4, true) * TWO_32 + view.getUint32(at, true);
  };
  let offset = HEADER_SIZE + count * OP_SIZE;
  const outputs = outputSizes.map((size) => {
    const bytes = reply.slice(offset, offset + size);
    offset = (offset + size + 7) & ~7;
    return bytes;
  });
  return { done: view.getUint32(8, true), value, outputs };
}
