/** Drives a real agent from a test: builds programs, starts the ELF natively or under qemu-user, talks to it over its channel. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { AGENT_AARCH64 } from '../agent-aarch64.gen.ts';
import { AGENT_X86_64 } from '../agent-x86_64.gen.ts';
import * as protocol from '../protocol.ts';

export type Architecture = 'x86_64' | 'aarch64';

export const ELF: Readonly<Record<Architecture, Buffer>> = {
  x86_64: Buffer.from(AGENT_X86_64, 'hex'),
  aarch64: Buffer.from(AGENT_AARCH64, 'hex'),
};

/** Numbers of the system calls that the tests make: x86_64, aarch64. */
const NUMBERS = {
  read: [0, 63],
  timerfd_create: [283, 85],
  timerfd_settime: [286, 86],
  accept4: [288, 242],
  bind: [49, 200],
  clone: [56, 220],
  close: [3, 57],
  dup3: [292, 24],
  epoll_create1: [291, 20],
  epoll_pwait: [281, 22],
  execve: [59, 221],
  exit_group: [231, 94],
  fcntl: [72, 25],
  getpid: [39, 172],
  getppid: [110, 173],
  listen: [50, 201],
  memfd_create: [319, 279],
  mmap: [9, 222],
  nanosleep: [35, 101],
  openat: [257, 56],
  prctl: [157, 167],
  pread64: [17, 67],
  pwrite64: [18, 68],
  seccomp: [317, 277],
  setsockopt: [54, 208],
  socket: [41, 198],
  wait4: [61, 260],
  write: [1, 64],
} as const satisfies Record<string, readonly [number, number]>;

export type SyscallName = keyof typeof NUMBERS;

export interface OpOptions {
  readonly flags?: number;
  readonly jump?: number;
  readonly ignoredErrno?: number;
}

/** Data of a program lies at this offset of BUF, behind more ops than any test has. */
const DATA = 0x10000;

/** A program under construction, and where its parts will lie in the agent. */
export class Program {
  readonly #arch: Architecture;
  readonly #ops: Buffer[] = [];
  readonly #data: Buffer[] = [];
  #dataEnd = DATA;

  constructor(arch: Architecture) {
    this.#arch = arch;
  }

  /** The index of the op that is added next. */
  get next(): number {
    return this.#ops.length;
  }

  /** Adds a system call; returns its index. */
  call(name: SyscallName, args: readonly (number | bigint)[], options: OpOptions = {}): number {
    return this.#op(NUMBERS[name][this.#arch === 'x86_64' ? 0 : 1], args, options);
  }

  /** Adds an op that stores a value; returns its index. */
  store(address: number, value: number | bigint, { flags = 0, ...options }: OpOptions = {}): number {
    return this.#op(0, [address, value], { flags: flags | protocol.STORE, ...options });
  }

  /** The same for the low 32 bits. */
  store32(address: number, value: number | bigint, { flags = 0, ...options }: OpOptions = {}): number {
    return this.#op(0, [address, value], { flags: flags | protocol.STORE32, ...options });
  }

  /** Adds an op that does nothing but have a value as its result, for its flags to act on. */
  nothing(value: number | bigint, options: OpOptions = {}): number {
    return this.store(resultOf(this.next), value, options);
  }

  /** Adds data; returns its address in the agent. */
  data(bytes: Uint8Array): number {
    const address = protocol.BUF + this.#dataEnd;
    this.#data.push(Buffer.concat([bytes], Math.ceil(bytes.length / 8) * 8));
    this.#dataEnd += Math.ceil(bytes.length / 8) * 8;
    return address;
  }

  u64(value: number | bigint): number {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return this.data(bytes);
  }

  text(text: string): number {
    return this.data(Buffer.from(`${text}\0`));
  }

  /** The message: all ops, and the data if there is any. By default the reply is as long as header and ops. */
  message(replyLength = protocol.HEADER_SIZE + this.next * protocol.OP_SIZE): Buffer {
    const ops = Buffer.concat(this.#ops);
    const body = this.#data.length === 0 ? [ops] : [Buffer.concat([ops], DATA - protocol.HEADER_SIZE), ...this.#data];
    const length = protocol.HEADER_SIZE + body.reduce((sum, part) => sum + part.length, 0);
    return Buffer.concat([header(length, this.next, replyLength), ...body]);
  }

  #op(nr: number, args: readonly (number | bigint)[], { flags = 0, jump = 0, ignoredErrno = 0 }: OpOptions): number {
    const op = Buffer.alloc(protocol.OP_SIZE);
    op.writeUInt32LE(nr, protocol.OP_NR);
    op.writeUInt32LE(flags, protocol.OP_FLAGS);
    for (const [i, argument] of args.entries()) {
      op.writeBigUInt64LE(BigInt.asUintN(64, BigInt(argument)), protocol.OP_ARGS + 8 * i);
    }
    op.writeBigInt64LE(UNTOUCHED, protocol.OP_RESULT);
    op.writeUInt32LE(jump, protocol.OP_JUMP);
    op.writeUInt32LE(ignoredErrno, protocol.OP_IGNORED_ERRNO);
    return this.#ops.push(op) - 1;
  }
}

/** The result of an op that was not executed. */
export const UNTOUCHED = 0x5a5a5a5a5a5an;

/** The address of an op's result. */
export const resultOf = (index: number): number => protocol.BUF + protocol.HEADER_SIZE + index * protocol.OP_SIZE + protocol.OP_RESULT;

export function header(length: number, opCount: number, replyLength: number): Buffer {
  const bytes = Buffer.alloc(protocol.HEADER_SIZE);
  bytes.writeUInt32LE(length, protocol.HEADER_LENGTH);
  bytes.writeUInt32LE(opCount, protocol.HEADER_OP_COUNT);
  bytes.writeUInt32LE(replyLength, protocol.HEADER_REPLY_LENGTH);
  return bytes;
}

export interface Reply {
  readonly done: number;
  readonly results: readonly bigint[];
  readonly bytes: Buffer;
}

/** One end of a stream socket. */
export class Channel {
  readonly #socket: Socket;
  readonly ended: Promise<unknown>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined); // a vanished agent shows in its exit status
    this.ended = once(socket, 'close');
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next `length` bytes. */
  async receive(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const part: Buffer | null = this.#socket.read(Math.min(missing, this.#socket.readableLength || missing));
      if (part === null) {
        await Promise.race([once(this.#socket, 'readable'), this.ended.then(() => Promise.reject(new Error('the channel ended')))]);
      } else {
        parts.push(part);
        missing -= part.length;
      }
    }
    return Buffer.concat(parts);
  }

  /** Awaits the reply to `message`, which was sent. */
  async reply(message: Buffer): Promise<Reply> {
    const bytes = await this.receive(message.readUInt32LE(protocol.HEADER_REPLY_LENGTH));
    const opCount = bytes.readUInt32LE(protocol.HEADER_OP_COUNT);
    const results = Array.from({ length: opCount }, (_, i) => bytes.readBigInt64LE(resultOf(i) - protocol.BUF));
    return { done: bytes.readUInt32LE(protocol.HEADER_DONE), results, bytes };
  }

  run(message: Buffer): Promise<Reply> {
    this.send(message);
    return this.reply(message);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** What a child process's `exit` event tells. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running agent. Descriptors 3 and 4 in it are the ends of the channels; 3 is the one it listens to. */
export class Agent {
  readonly #process: ChildProcess;
  readonly channel: Channel;
  readonly other: Channel;
  readonly exit: Promise<Exit>;

  constructor(process: ChildProcess) {
    this.#process = process;
    this.channel = new Channel(process.stdio[3] as Socket);
    this.other = new Channel(process.stdio[4] as Socket);
    this.exit = once(process, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  close(): void {
    this.channel.close();
    this.other.close();
    this.#process.kill('SIGKILL');
  }
}

/** A way to run agents of one architecture here. */
export interface Target {
  readonly arch: Architecture;
  readonly emulated: boolean;
  start(): Agent;
}

/** How agents of `arch` run on this machine, or undefined if they do not. Their executable is written to `folder`. */
export function target(arch: Architecture, folder: string): Target | undefined {
  const native = arch === (process.arch === 'x64' ? 'x86_64' : 'aarch64');
  const emulator = [`qemu-${arch}-static`, `qemu-${arch}`].find((command) => spawnSync(command, ['--version']).status === 0);
  if (!native && emulator === undefined) {
    return undefined;
  }
  const file = join(folder, `agent-${arch}`);
  writeFileSync(file, ELF[arch], { mode: 0o700 });
  const command = native || emulator === undefined ? [file] : [emulator, file];
  return {
    arch,
    emulated: !native,
    start() {
      // argc = 3 tells the agent that its channel is descriptor 3
      const [executable = '', ...args] = [...command, 'argument', 'argument'];
      return new Agent(spawn(executable, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'] }));
    },
  };
}
