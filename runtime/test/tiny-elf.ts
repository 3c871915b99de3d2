/** Static executables of a few dozen bytes that make exactly the system calls they are told, for filters that allow nearly none. */
import { chmodSync, writeFileSync } from 'node:fs';
import { type SyscallName, syscallNumber } from '../src/linux/syscall-numbers.ts';
import type { Architecture } from '../src/sys/sys.ts';

/** A number of a system call, or its name, and its arguments; a text is passed as its address. */
export type TinyCall = readonly [SyscallName | number, ...(number | bigint | string)[]];

const BASE = 0x400000;
const HEADERS_BYTES = 64 + 56;

/**
 * Writes an executable that makes the calls and exits: with the negated result of the last one, which is its errno, or 0 for success.
 * With `exit` it exits with that status, whatever the result.
 */
export function writeTinyElf(path: string, arch: Architecture, calls: readonly TinyCall[], exit?: number): void {
  const emit = arch === 'x86_64' ? x86 : aarch64;
  const number = (name: SyscallName | number): number => (typeof name === 'number' ? name : syscallNumber(arch, name));
  const build = (texts: ReadonlyMap<string, number>): number[] => {
    const code = calls.flatMap(([name, ...args]) =>
      emit.call(
        number(name),
        args.map((argument) => BigInt(typeof argument === 'string' ? (texts.get(argument) ?? 0) : argument)),
      ),
    );
    return [...code, ...emit.end(number('exit_group'), exit)];
  };
  // The code's length does not depend on the addresses in it.
  const codeBytes = build(new Map()).length;
  const texts = new Map<string, number>();
  const data: number[] = [];
  for (const text of calls.flat().filter((word): word is string => typeof word === 'string')) {
    texts.set(text, BASE + HEADERS_BYTES + codeBytes + data.length);
    data.push(...Buffer.from(`${text}\0`));
  }
  const body = Buffer.from([...build(texts), ...data]);
  writeFileSync(path, Buffer.concat([headers(arch, HEADERS_BYTES + body.length), body]));
  chmodSync(path, 0o755);
}

function headers(arch: Architecture, sizeBytes: number): Buffer {
  const buffer = Buffer.alloc(HEADERS_BYTES);
  buffer.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  buffer.writeUInt16LE(2, 16);
  buffer.writeUInt16LE(arch === 'x86_64' ? 62 : 183, 18);
  buffer.writeUInt32LE(1, 20);
  buffer.writeBigUInt64LE(BigInt(BASE + HEADERS_BYTES), 24);
  buffer.writeBigUInt64LE(64n, 32);
  buffer.writeUInt16LE(64, 52);
  buffer.writeUInt16LE(56, 54);
  buffer.writeUInt16LE(1, 56);
  // One segment, readable and executable.
  buffer.writeUInt32LE(1, 64);
  buffer.writeUInt32LE(5, 68);
  buffer.writeBigUInt64LE(BigInt(BASE), 80);
  buffer.writeBigUInt64LE(BigInt(BASE), 88);
  buffer.writeBigUInt64LE(BigInt(sizeBytes), 96);
  buffer.writeBigUInt64LE(BigInt(sizeBytes), 104);
  buffer.writeBigUInt64LE(0x1000n, 112);
  return buffer;
}

interface Emitter {
  call(number: number, args: readonly bigint[]): number[];
  end(exitGroup: number, status: number | undefined): number[];
}

function bytesOf(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, index) => Number((BigInt.asUintN(64, value) >> BigInt(8 * index)) & 0xffn));
}

/** movabs into rax, rdi, rsi, rdx, r10, r8, r9. */
const X86_MOVES = [
  [0x48, 0xb8],
  [0x48, 0xbf],
  [0x48, 0xbe],
  [0x48, 0xba],
  [0x49, 0xba],
  [0x49, 0xb8],
  [0x49, 0xb9],
];
const X86_SYSCALL = [0x0f, 0x05];

const x86: Emitter = {
  call: (number, args) => [
    ...[BigInt(number), ...args].flatMap((value, index) => [...(X86_MOVES[index] ?? []), ...bytesOf(value)]),
    ...X86_SYSCALL,
  ],
  end: (exitGroup, status) => {
    // neg eax; mov edi, eax
    const result = status === undefined ? [0xf7, 0xd8, 0x89, 0xc7] : [...(X86_MOVES[1] ?? []), ...bytesOf(BigInt(status))];
    return [...result, ...(X86_MOVES[0] ?? []), ...bytesOf(BigInt(exitGroup)), ...X86_SYSCALL];
  },
};

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
}

/** movz and three movk. */
function aarch64Move(register: number, value: bigint): number[] {
  return [0, 1, 2, 3].flatMap((half) => {
    const piece = Number((BigInt.asUintN(64, value) >> BigInt(16 * half)) & 0xffffn);
    return word((half === 0 ? 0xd2800000 : 0xf2800000) | (half << 21) | (piece << 5) | register);
  });
}

const AARCH64_SVC = word(0xd4000001);

const aarch64: Emitter = {
  call: (number, args) => [...args.flatMap((value, index) => aarch64Move(index, value)), ...aarch64Move(8, BigInt(number)), ...AARCH64_SVC],
  end: (exitGroup, status) => [
    // neg w0, w0
    ...(status === undefined ? word(0x4b0003e0) : aarch64Move(0, BigInt(status))),
    ...aarch64Move(8, BigInt(exitGroup)),
    ...AARCH64_SVC,
  ],
};
