/** Outcomes and tests for the tests of the harness. */

import { coverageOf } from './coverage.ts';
import type { Outcome } from './outcome.ts';
import type { Report } from './report/report.ts';
import type { TestCase } from './test-case.ts';

export function testCase(id: string, more: Partial<TestCase> = {}): TestCase {
  return {
    id,
    title: `title of ${id}`,
    covers: ['runtime/start/runs'],
    needs: [],
    requires: undefined,
    since: undefined,
    run: () => Promise.resolve(undefined),
    ...more,
  };
}

export function sampleReport(): Report {
  const outcomes: Outcome[] = [
    { test: testCase('a/x/passes'), status: 'passed', durationMs: 10 },
    {
      test: testCase('a/x/fails', { title: 'with <tags> & #signs', covers: ['runtime/kill/sends'] }),
      status: 'failed',
      message: 'first\nsecond "<&>"',
      durationMs: 20,
    },
    {
      test: testCase('b/y/known', { covers: ['runtime/create/creates'] }),
      status: 'known',
      message: 'differs',
      reason: 'as they say (x#1)',
      durationMs: 30,
    },
    { test: testCase('b/y/skipped', { covers: ['linux/sysctl'] }), status: 'not testable', reason: 'needs a moon', durationMs: 0 },
  ];
  const runtime = { path: '/bin/x', name: 'x', version: '1.0.0', specVersion: '1.0.0', features: undefined };
  return {
    runtime,
    outcomes,
    coverage: coverageOf(
      outcomes,
      outcomes.map(({ test }) => test),
    ),
    durationMs: 60,
  };
}
