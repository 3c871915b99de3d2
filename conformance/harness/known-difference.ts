import type { Runtime } from './runtime.ts';
import { inRange } from './version.ts';

/** A test that a runtime is known to fail. */
export interface KnownDifference {
  readonly runtime: string;
  /** Comparisons that must all hold: see `inRange`. */
  readonly versions: string;
  /** Ids of tests; a trailing `*` stands for any end. */
  readonly tests: readonly string[];
  readonly reason: string;
  /** Where the runtime's authors say so, or the change that ended it. */
  readonly reference: string;
}

export function findKnownDifference(
  known: readonly KnownDifference[],
  runtime: Pick<Runtime, 'name' | 'version'>,
  id: string,
): KnownDifference | undefined {
  return known.find(
    (entry) =>
      entry.runtime === runtime.name && inRange(runtime.version, entry.versions) && entry.tests.some((pattern) => matches(pattern, id)),
  );
}

function matches(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}
