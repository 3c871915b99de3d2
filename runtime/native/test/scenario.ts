/** What Sys promises, line by line, so that the engines can be compared: `Sys` in, text out. */
import { syscallNumber } from '../../src/linux/syscall-numbers.ts';
import type { CallArgument, Sys } from '../../src/sys/sys.ts';

export function scenario(sys: Sys): string {
  return [...systemCalls(sys), ...strings(sys), ...functions(sys), ...memory(sys), ...refusals(sys)].join('\n');
}

/** The name of what was thrown; the words are the engine's own. Not by instanceof: in tests Node's own errors are of another realm. */
function attempt(action: () => unknown): string {
  try {
    return String(action());
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

function hex(buffer: ArrayBuffer): string {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function systemCalls(sys: Sys): string[] {
  const number = (name: Parameters<typeof syscallNumber>[1]) => syscallNumber(sys.arch, name);
  const limits = new ArrayBuffer(16);
  return [
    `arch ${sys.arch}`,
    `getpid is positive ${sys.syscall(number('getpid')) > 0}`,
    `close of -1 ${sys.syscall(number('close'), -1)}`,
    `openat of nothing ${sys.syscall(number('openat'), -100, '/nonexistent/näme', 0, 0)}`,
    `no such call ${sys.syscall(99_999)}`,
    `six arguments ${sys.syscall(number('copy_file_range'), -1, null, -1, null, 2 ** 40, 0)}`,
    `prlimit64 ${sys.syscall(number('prlimit64'), 0, 7, null, limits)}, soft limit is set ${new DataView(limits).getBigUint64(0, true) > 0n}`,
    `a bigint is an argument ${sys.syscall(number('close'), -1n)} ${sys.syscall(number('close'), 0xffff_ffff_ffff_ffffn)}`,
  ];
}

function strings(sys: Sys): string[] {
  const texts = ['', 'plain', 'grüße', '日本', '😀', 'a\ud800b', '\udc00', '\ud800\ud800', 'nul\0inside', '\ufeffmark'];
  const bytes = [
    [0xff],
    [0xc3],
    [0xe2, 0x82],
    [0xe2, 0x82, 0x20],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xf4, 0x90, 0x80, 0x80],
    [0xc0, 0x80],
    [0xef, 0xbb, 0xbf, 0x61],
    [0x61, 0xf0, 0x80, 0x80, 0x7a],
    [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  ];
  const hello = sys.encode('hello');
  return [
    ...texts.map((text) => `encode ${JSON.stringify(text)} ${hex(sys.encode(text))} back ${JSON.stringify(sys.decode(sys.encode(text)))}`),
    ...bytes.map((list) => `decode ${list} ${JSON.stringify(sys.decode(new Uint8Array(list).buffer))}`),
    ...randomBytes(500).map((list) => `decode ${list} ${JSON.stringify(sys.decode(new Uint8Array(list).buffer))}`),
    `parts ${sys.decode(hello, 1)} ${sys.decode(hello, 1, 3)} ${sys.decode(hello, 5)}.`,
  ];
}

/** The same on every run and engine: short runs of bytes that UTF-8 cares about. */
function randomBytes(count: number): number[][] {
  const interesting = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
  ];
  let state = 12_345;
  const next = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % limit;
  };
  return Array.from({ length: count }, () => Array.from({ length: 1 + next(7) }, () => interesting[next(interesting.length)] ?? 0));
}

function functions(sys: Sys): string[] {
  const libc = (name: string, ...args: CallArgument[]) => sys.call(sys.symbol('libc.so.6', name), ...args);
  return [
    `getpid agrees ${libc('getpid') === sys.syscall(syscallNumber(sys.arch, 'getpid'))}`,
    `strlen ${libc('strlen', '')} ${libc('strlen', 'grüße 😀')} ${libc('strlen', 'a\ud800')} ${libc('strlen', 'x'.repeat(200_000))}`,
    `strcmp ${libc('strcmp', 'x'.repeat(70_000), 'x'.repeat(70_000)) | 0} ${(libc('strcmp', 'a', 'b') | 0) < 0}`,
    `llabs ${libc('llabs', -5)} ${libc('llabs', -(2 ** 40))} ${libc('llabs', -7n)} ${libc('llabs', 0xffff_ffff_ffff_fff0n)}`,
    `signed 64 bits ${libc('llabs', 1n << 63n)} ${libc('atoll', '-9007199254740993')}`,
    `no library ${sys.symbol('libnonexistent.so.9', 'main')}, no symbol ${sys.symbol('libc.so.6', 'nonexistent_function')}`,
    `another library ${sys.symbol('libm.so.6', 'cos') > 0}`,
  ];
}

function memory(sys: Sys): string[] {
  const small = sys.encode('12345678');
  const large = new ArrayBuffer(1 << 20);
  const before = [sys.address(small), sys.address(large)];
  // Enough garbage for every collector to run and move what can be moved.
  let kept: ArrayBuffer[] = [];
  for (let round = 0; round < 20_000; round += 1) {
    kept = round % 100 === 0 ? [] : [...kept.slice(-10), new ArrayBuffer(round % 300)];
  }
  const copy = sys.peek(sys.address(small), 4);
  new Uint8Array(small)[0] = 0x39;
  return [
    `addresses stay ${before[0] === sys.address(small) && before[1] === sys.address(large)}, kept ${kept.length}`,
    `peek copies ${sys.decode(copy)}, not shares ${sys.decode(sys.peek(sys.address(small), 2))}, nothing ${sys.peek(sys.address(small), 0).byteLength}`,
    `memcpy ${sys.call(sys.symbol('libc.so.6', 'memcpy'), large, small, 8) === sys.address(large)} ${sys.decode(large, 0, 8)}`,
  ];
}

function refusals(sys: Sys): string[] {
  const close = syscallNumber(sys.arch, 'close');
  const wrong = (value: unknown) => value as CallArgument;
  return [
    `NUL ${attempt(() => sys.syscall(close, 'a\0b'))} ${attempt(() => sys.symbol('libc.so.6', 'get\0pid'))} ${attempt(() => sys.symbol('a\0', 'b'))}`,
    `seven arguments ${attempt(() => sys.syscall(close, -1, 2, 3, 4, 5, 6, 7))}`,
    `other values ${[undefined, true, {}, [1]].map((value) => attempt(() => sys.syscall(close, wrong(value)))).join()}`,
    `address 0 ${attempt(() => sys.call(0))}`,
    `outside ${attempt(() => sys.decode(new ArrayBuffer(4), 5))} ${attempt(() => sys.decode(new ArrayBuffer(4), 2, 3))} ${attempt(() => sys.decode(new ArrayBuffer(4), -1))}`,
    `afterwards ${sys.syscall(close, -1)}`,
  ];
}
