import type { TestCase } from './test-case.ts';

export type OutcomeStatus = 'passed' | 'failed' | 'known' | 'not testable';

export interface Outcome {
  readonly test: TestCase;
  readonly status: OutcomeStatus;
  /** What went wrong. */
  readonly message?: string;
  /** Why it is known, or cannot be tested here. */
  readonly reason?: string;
  /** A difference is written down that the runtime does not show. */
  readonly unneeded?: string;
  readonly durationMs: number;
}

export function countOutcomes(outcomes: readonly Outcome[]): Readonly<Record<OutcomeStatus, number>> {
  const counts = { passed: 0, failed: 0, known: 0, 'not testable': 0 };
  for (const { status } of outcomes) counts[status] += 1;
  return counts;
}
