import { createNodeSys } from './node.ts';

const CLOSE = process.arch === 'x64' ? 3 : 57;
const GETPID = process.arch === 'x64' ? 39 : 172;
const sys = createNodeSys();

describe('createNodeSys', () => {
  it('returns the result of a system call, or its negated errno', () => {
    expect(sys.syscall(GETPID)).toBe(process.pid);
    expect(sys.syscall(CLOSE, -1)).toBe(-9);
  });

  it('has the name of the command in the place of the interpreter and the script', () => {
    expect(sys.argv[0]).toBe('tsrun');
    expect(sys.argv.slice(1)).toEqual(process.argv.slice(2));
  });

  it('has the environment as NAME=value', () => {
    expect(sys.environ).toContain(`PATH=${process.env['PATH']}`);
  });

  it('gives strings of any length to C, several at once', () => {
    const strcmp = sys.symbol('libc.so.6', 'strcmp');
    for (const length of [0, 1, 20_000, 21_845, 40_000, 65_535, 65_536, 300_000]) {
      const text = 'ü'.repeat(length);
      expect(sys.call(strcmp, text, text) | 0).toBe(0);
      expect(sys.call(strcmp, text, `${text}x`) | 0).toBeLessThan(0);
    }
  });

  it('uses the space for strings again after a refused call', () => {
    const strlen = sys.symbol('libc.so.6', 'strlen');
    for (let round = 0; round < 100; round += 1) {
      expect(() => sys.call(strlen, 'x'.repeat(20_000), 'a\0b')).toThrow(TypeError);
    }
    expect(sys.call(strlen, 'x'.repeat(60_000))).toBe(60_000);
  });

  it('does not take undefined for the descriptor 0', () => {
    expect(() => sys.syscall(CLOSE, undefined as unknown as number)).toThrow(TypeError);
  });

  it('refuses a typed array, whose bytes may move', () => {
    expect(() => sys.address(new Uint8Array(8) as unknown as ArrayBuffer)).toThrow(TypeError);
  });

  it('knows no function at address 0', () => {
    expect(() => sys.call(sys.symbol('libc.so.6', 'nonexistent_function'))).toThrow(TypeError);
  });

  it('copies memory', () => {
    const buffer = sys.encode('copied');
    const copy = sys.peek(sys.address(buffer), 6);
    new Uint8Array(buffer).fill(0);
    expect(sys.decode(copy)).toBe('copied');
  });
});
