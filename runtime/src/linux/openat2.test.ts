import type { CallArgument, Sys } from '../sys/sys.ts';
import { openHow, tryOpenat2 } from './openat2.ts';

/** A kernel that gives these answers, one after the other. */
function kernel(...answers: number[]): { sys: Sys; calls: CallArgument[][] } {
  const calls: CallArgument[][] = [];
  const syscall = (...args: CallArgument[]): number => {
    calls.push(args);
    return answers.shift() ?? -38;
  };
  return { sys: { arch: 'x86_64', syscall } as unknown as Sys, calls };
}

describe('openat2', () => {
  const how = openHow(0o200000, 0x10);

  it('asks again while the kernel cannot tell where `..` leads', () => {
    const { sys, calls } = kernel(-11, -11, -4, 7);
    expect(tryOpenat2(sys, 3, 'a/../b', how)).toBe(7);
    expect(calls.map((call) => call.slice(1))).toEqual(Array(4).fill([3, 'a/../b', how, 24]));
  });

  it('returns any other error', () => {
    expect(tryOpenat2(kernel(-2).sys, 3, 'b', how)).toBe(-2);
  });

  it('closes on exec', () => {
    expect([...new BigUint64Array(how)]).toEqual([0o2200000n, 0n, 0x10n]);
  });
});
