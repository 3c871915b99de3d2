/**
 * fast-check, with the same examples in every run: what fails, fails again, and a change is never blamed for an old fault that luck has found.
 * `FUZZ_SEED=random npm test`, or a number that a failure has printed, looks elsewhere; `FUZZ_RUNS=20` multiplies the examples.
 */
import fc from 'fast-check';

const seed = process.env['FUZZ_SEED'] ?? '20260101';
const times = Number(process.env['FUZZ_RUNS'] ?? '1');

fc.configureGlobal({ numRuns: 100 * times, ...(seed === 'random' ? {} : { seed: Number(seed) }) });
jest.setTimeout(30_000 * times);

/** `count` examples, or as many times that as the caller of the tests asks for; 100 where a test says nothing. */
export const runs = (count: number): { numRuns: number } => ({ numRuns: count * times });

export { fc };
