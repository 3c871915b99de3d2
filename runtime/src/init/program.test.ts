import type { Sys } from '../sys/sys.ts';
import { JUMP, JUMP_IF_OK, SET_CHANNEL, STORE } from './agent/protocol.ts';
import { decodeReply, encodeProgram } from './encode.ts';
import { data, describeProgram, Program, stringArray, struct } from './program.ts';

/** Enough of an engine to lay out a program: no system call is made. */
const sys = {
  arch: 'x86_64',
  encode: (text: string) => new Uint8Array(new TextEncoder().encode(text)).buffer,
} as unknown as Sys;

const BUF = 0x20000000;

function words(message: ArrayBuffer, op: number): { nr: number; flags: number; args: bigint[]; jump: number; ignored: number } {
  const view = new DataView(message, 16 + op * 80);
  return {
    nr: view.getUint32(0, true),
    flags: view.getUint32(4, true),
    args: [0, 1, 2, 3, 4, 5].map((index) => view.getBigUint64(8 + index * 8, true)),
    jump: view.getUint32(64, true),
    ignored: view.getUint32(68, true),
  };
}

function textAt(message: ArrayBuffer, address: bigint): string {
  const bytes = new Uint8Array(message, Number(address) - BUF);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

describe('encodeProgram', () => {
  it('writes numbers of any sign and size as 64 bits', () => {
    const program = new Program({ step: 't' });
    program.call('openat', [-100, 0xffffffff, 0x200000000, -1, 2n ** 64n - 1n, 2n ** 53n + 1n]);
    const { args } = words(encodeProgram(sys, program).message, 0);
    expect(args).toEqual([2n ** 64n - 100n, 0xffffffffn, 0x200000000n, 2n ** 64n - 1n, 2n ** 64n - 1n, 2n ** 53n + 1n]);
  });

  it('keeps each text once, NUL-terminated', () => {
    const program = new Program({ step: 't' });
    program.call('symlinkat', ['größe', 3, 'x']);
    program.call('symlinkat', ['größe', 3, 'y']);
    const { message } = encodeProgram(sys, program);
    expect(textAt(message, words(message, 0).args[0] ?? 0n)).toBe('größe');
    expect(words(message, 0).args[0]).toBe(words(message, 1).args[0]);
    expect(textAt(message, words(message, 1).args[2] ?? 0n)).toBe('y');
  });

  it('refuses text with a NUL character: the kernel would see another path', () => {
    const program = new Program({ step: 't' });
    program.call('chdir', ['/etc\0/evil']);
    expect(() => encodeProgram(sys, program)).toThrow('NUL');
  });

  it('makes the result of an earlier call an indirect argument', () => {
    const program = new Program({ step: 't' });
    program.call('getpid', []);
    const fd = program.call('openat', [-100, '/', 0, 0]);
    program.call('close', [fd]);
    const { flags, args } = words(encodeProgram(sys, program).message, 2);
    expect(flags & 0x3f).toBe(1);
    expect(args[0]).toBe(BigInt(BUF + 16 + 80 + 56));
  });

  it('points from data to data', () => {
    const program = new Program({ step: 't' });
    program.call('execve', ['/bin/sh', stringArray(['sh', '-c']), stringArray([])]);
    const { message } = encodeProgram(sys, program);
    const vector = Number((words(message, 0).args[1] ?? 0n) - BigInt(BUF));
    const view = new DataView(message, vector);
    expect([0, 8].map((offset) => textAt(message, view.getBigUint64(offset, true)))).toEqual(['sh', '-c']);
    expect(view.getBigUint64(16, true)).toBe(0n);
  });

  it('leads jumps to their places, forwards too', () => {
    const program = new Program({ step: 't' });
    const end = program.place();
    program.call('openat', [-100, '/x', 0, 0], { ignore: 2 });
    program.jumpTo(end, JUMP_IF_OK);
    program.jump(end);
    program.call('getpid', []);
    program.here(end);
    const { message } = encodeProgram(sys, program);
    expect(words(message, 0)).toMatchObject({ flags: JUMP_IF_OK, jump: 3, ignored: 2 });
    // A jump alone makes no system call: it stores into its own result.
    expect(words(message, 1)).toMatchObject({ flags: STORE | JUMP, jump: 3 });
    expect(words(message, 1).args[0]).toBe(BigInt(BUF + 16 + 80 + 56));
  });

  it('changes the channel without a system call', () => {
    const program = new Program({ step: 't' });
    program.setChannel(7);
    const { flags, args } = words(encodeProgram(sys, program).message, 0);
    expect(flags).toBe(STORE | SET_CHANNEL);
    expect(args[1]).toBe(7n);
  });

  it('asks for operations and outputs back, and reads them', () => {
    const program = new Program({ step: 't' });
    const first = program.output(5);
    const second = program.output(8);
    program.call('getcwd', [first, 5]);
    program.call('getcwd', [second, 8]);
    const { message, replyBytes } = encodeProgram(sys, program);
    expect(replyBytes).toBe(16 + 2 * 80 + 8 + 8);
    const reply = message.slice(0, replyBytes);
    const view = new DataView(reply);
    view.setUint32(8, 2, true);
    view.setBigInt64(16 + 56, -2n, true);
    view.setBigInt64(16 + 80 + 56, 2n ** 40n, true);
    new Uint8Array(reply).set([1, 2, 3, 4, 5], 16 + 160);
    const results = decodeReply(reply, 2, [5, 8]);
    expect([results.value(0), results.value(1)]).toEqual([-2, 2 ** 40]);
    expect(results.outputs.map((output) => output.byteLength)).toEqual([5, 8]);
    expect([...new Uint8Array(results.outputs[0] ?? new ArrayBuffer(0))]).toEqual([1, 2, 3, 4, 5]);
  });

  it('takes an argument and environment list of 2 MB, and refuses what the agent has no room for', () => {
    const program = new Program({ step: 't' });
    program.call('execve', ['/x', stringArray(['x'.repeat(2 * 1024 * 1024)]), stringArray([])]);
    expect(encodeProgram(sys, program).message.byteLength).toBeGreaterThan(2 * 1024 * 1024);
    program.call('execve', ['/x', stringArray(['y'.repeat(15 * 1024 * 1024)]), stringArray([])]);
    expect(() => encodeProgram(sys, program)).toThrow('at most');
  });
});

describe('describeProgram', () => {
  it('prints calls as strace does', () => {
    const program = new Program({ step: 't' });
    const fd = program.call('openat', [-100, '/etc', 0o200000, null]);
    program.call('fstatfs', [fd, program.output(120)]);
    program.call('prlimit64', [
      0,
      7,
      struct(
        [
          [8, 3],
          [8, 4],
        ],
        '{soft=3, hard=4}',
      ),
      data(new Uint8Array(3)),
    ]);
    expect(describeProgram(program)).toEqual([
      '$0 openat(-100, "/etc", 0x10000, NULL)',
      '$1 fstatfs($0, <120 bytes out>)',
      '$2 prlimit64(0, 7, {soft=3, hard=4}, <3 bytes>)',
    ]);
  });
});
