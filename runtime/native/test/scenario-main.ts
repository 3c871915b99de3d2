/** The scenario as a native command of its own, run by both-engines.test.ts. */
import { syscallNumber } from '../../src/linux/syscall-numbers.ts';
import type { Sys } from '../../src/sys/sys.ts';
import { scenario } from './scenario.ts';

function main(sys: Sys): number {
  if (sys.argv[1] === 'fail') {
    throw new RangeError('on purpose');
  }
  const text = sys.encode(sys.argv[1] === 'argv' ? JSON.stringify([sys.argv.slice(1), sys.environ]) : scenario(sys));
  for (let written = 0; written < text.byteLength; ) {
    written += sys.syscall(syscallNumber(sys.arch, 'write'), 1, sys.address(text) + written, text.byteLength - written);
  }
  return 7;
}
Object.assign(globalThis, { main });
