/**
 * A program for the init agent: system calls with their arguments, in order, and what is known of each for a reader of its failure.
 * Building a program is pure; `encodeProgram` lays it out for the agent and `describeProgram` prints it.
 */
import type { SyscallName } from '../linux/syscall-numbers.ts';
import { IGNORE_ALL, indirect, JUMP, SET_CHANNEL, STORE } from './agent/protocol.ts';

/** The result of an earlier operation, as an argument. */
export interface ResultOf {
  readonly kind: 'result';
  readonly op: number;
}

/** Bytes in the agent's memory. Pointers inside them are filled in when the program is laid out. */
export interface Data {
  readonly kind: 'data';
  readonly bytes: Uint8Array;
  /** [offset, what the eight bytes there must point to] */
  readonly pointers: readonly (readonly [number, Data | Output | string])[];
  /** Shown instead of the bytes. */
  readonly note?: string;
}

/** Memory that the agent sends back with its reply. */
export interface Output {
  readonly kind: 'output';
  readonly index: number;
  readonly sizeBytes: number;
}

/** Integers, text (its address, NUL-terminated), or one of the above. */
export type Argument = number | bigint | string | ResultOf | Data | Output | null;

/** Where an operation comes from. */
export interface Label {
  /** The step of the plan: "mount /proc". */
  readonly step: string;
  /** The object of the call, where its arguments do not tell. */
  readonly object?: string | undefined;
  /** The place in config.json. */
  readonly configPath?: string | undefined;
}

export interface Operation {
  /** 'store' writes memory instead of calling: see `agent/README.md`. */
  readonly call: SyscallName | 'store';
  readonly args: readonly Argument[];
  flags: number;
  /** An errno that does not stop the program. */
  readonly ignoredErrno: number;
  /** Index of the operation to go on with, for the jump flags. */
  jump: number;
  readonly label: Label;
}

export interface OperationOptions {
  /** An errno that is as good as success; 'all' for every one. */
  readonly ignore?: number | 'all';
  readonly flags?: number;
  readonly object?: string;
}

/** A place in a program that jumps lead to, set once. */
export interface Place {
  position: number;
  readonly jumps: Operation[];
}

export class Program {
  readonly operations: Operation[] = [];
  readonly outputs: Output[] = [];
  #label: Label;
  /** Whether the agent answers at the end. A program that ends in execve or in waiting for another channel does not. */
  silent = false;

  constructor(label: Label) {
    this.#label = label;
  }

  /** What follows belongs to this step. */
  step(step: string, configPath?: string): this {
    this.#label = configPath === undefined ? { step } : { step, configPath };
    return this;
  }

  get label(): Label {
    return this.#label;
  }

  /** Appends a system call and returns its result for use as an argument. */
  call(name: SyscallName, args: readonly Argument[], options: OperationOptions = {}): ResultOf {
    return this.#append(name, args, options);
  }

  #append(call: Operation['call'], args: readonly Argument[], options: OperationOptions): ResultOf {
    const ignoredErrno = typeof options.ignore === 'number' ? options.ignore : 0;
    const flags = (options.flags ?? 0) | (options.ignore === 'all' ? IGNORE_ALL : 0);
    const { step, configPath } = this.#label;
    const label = options.object === undefined ? this.#label : { step, configPath, object: options.object };
    this.operations.push({ call, args, flags, ignoredErrno, jump: 0, label });
    return { kind: 'result', op: this.operations.length - 1 };
  }

  /** Makes `fd` the agent's channel from the next reply on. */
  setChannel(fd: number): void {
    this.#noOperation(fd, SET_CHANNEL);
  }

  /** A store into its own result field: an operation without effect, whose result is `value`. */
  #noOperation(value: number, flags: number): void {
    this.#append('store', [{ kind: 'result', op: this.operations.length }, value], { flags: STORE | flags });
  }

  /** An earlier result again, for a jump that depends on it. Errors do not stop the program. */
  test(result: ResultOf): void {
    this.#append('store', [{ kind: 'result', op: this.operations.length }, result], { flags: STORE | IGNORE_ALL });
  }

  /** Writes a value into an output: a word that two threads of one program share. */
  store(output: Output, value: ResultOf | number): void {
    this.#append('store', [output, value], { flags: STORE | IGNORE_ALL });
  }

  /** What a shared word holds now, for a jump that depends on it. */
  look(output: Output): ResultOf {
    return this.#append('store', [{ kind: 'result', op: this.operations.length }, output], { flags: STORE | IGNORE_ALL | indirect(1) });
  }

  place(): Place {
    return { position: -1, jumps: [] };
  }

  /** Marks the next operation as the target of the jumps to `place`. */
  here(place: Place): void {
    place.position = this.operations.length;
    for (const operation of place.jumps) operation.jump = place.position;
  }

  /** Makes the newest operation jump to `place` under a condition (a JUMP_… flag). */
  jumpTo(place: Place, condition: number): void {
    const operation = this.operations.at(-1);
    if (operation === undefined) throw new Error('no operation to jump from');
    operation.flags |= condition;
    operation.jump = place.position;
    place.jumps.push(operation);
  }

  /** Goes on at `place`. */
  jump(place: Place): void {
    this.#noOperation(0, 0);
    this.jumpTo(place, JUMP);
  }

  output(sizeBytes: number): Output {
    const output: Output = { kind: 'output', index: this.outputs.length, sizeBytes };
    this.outputs.push(output);
    return output;
  }
}

/** Bytes as an argument. */
export function data(bytes: Uint8Array | ArrayBuffer, note?: string): Data {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return note === undefined ? { kind: 'data', bytes: view, pointers: [] } : { kind: 'data', bytes: view, pointers: [], note };
}

/** A NULL-terminated array of strings, as execve takes it. */
export function stringArray(strings: readonly string[]): Data {
  return {
    kind: 'data',
    bytes: new Uint8Array(8 * (strings.length + 1)),
    pointers: strings.map((text, index) => [index * 8, text] as const),
    note: `[${strings.map((text) => JSON.stringify(text)).join(', ')}]`,
  };
}

/** Little-endian integers one after the other: [width in bytes, value]. */
export function struct(fields: readonly (readonly [1 | 2 | 4 | 8, number | bigint])[], note?: string): Data {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [width, value] of fields) {
    // A program has many of these, and most are small: a BigInt each would be felt.
    if (width === 8 && typeof value === 'number' && value >= 0 && value <= 0xffffffff) view.setUint32(offset, value, true);
    else if (width === 8) view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
    else if (width === 4) view.setUint32(offset, Number(value), true);
    else if (width === 2) view.setUint16(offset, Number(value), true);
    else view.setUint8(offset, Number(value));
    offset += width;
  }
  return data(bytes, note);
}

function describeArgument(argument: Argument): string {
  if (argument === null) return 'NULL';
  if (typeof argument === 'string') return JSON.stringify(argument);
  if (typeof argument === 'bigint') return argument.toString();
  if (typeof argument === 'number') return argument > 4096 ? `0x${argument.toString(16)}` : String(argument);
  if (argument.kind === 'result') return `$${argument.op}`;
  if (argument.kind === 'output') return `<${argument.sizeBytes} bytes out>`;
  return argument.note ?? `<${argument.bytes.length} bytes>`;
}

/** One line for each operation, in the manner of strace(1). */
export function describeProgram(program: Program): string[] {
  return program.operations.map((operation, index) => {
    const args = operation.args.map(describeArgument).join(', ');
    return `$${index} ${operation.call}(${args})`;
  });
}
