import type { Coverage } from '../coverage.ts';
import type { Outcome } from '../outcome.ts';
import type { Runtime } from '../runtime.ts';

/** All that a report is made of. */
export interface Report {
  readonly runtime: Runtime;
  readonly outcomes: readonly Outcome[];
  readonly coverage: readonly Coverage[];
  readonly durationMs: number;
}
