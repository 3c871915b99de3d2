/** Values of cgroup v1, which the specification speaks of, as values of cgroup v2. */
import type { Integer } from './write.ts';

const MIN_SHARES = 2;
const MAX_SHARES = 262144;
const MAX_WEIGHT = 10000;
/** pow(3) may miss an exact integer by a few units in the last place, and rounding up would make a whole unit of that. */
const ROUNDING_ERROR = 1e-9;

/**
 * CPU shares [2, 262144] as cpu.weight [1, 10000]: the curve through both ends and both defaults (1024 shares, weight 100) that runc 1.4 and
 * crun 1.23 use, so that a container has the same weight under each of them. 0 means "not set" and has no weight.
 */
export function sharesToWeight(shares: Integer): number | undefined {
  if (shares === 0 || shares === 0n) return undefined;
  if (shares <= MIN_SHARES) return 1;
  if (shares >= MAX_SHARES) return MAX_WEIGHT;
  const log = Math.log2(Number(shares));
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34) - ROUNDING_ERROR);
}

/** A blkio weight [10, 1000] as io.weight [1, 10000], linearly. */
export function blkioToIoWeight(weight: number): number {
  return 1 + Math.trunc(((weight - 10) * 9999) / 990);
}
