import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ground } from './ground.ts';
import type { KnownDifference } from './known-difference.ts';
import { findKnownDifference } from './known-difference.ts';
import type { Outcome } from './outcome.ts';
import type { Runtime } from './runtime.ts';
import { NotTestable, type TestCase } from './test-case.ts';
import { compareVersions } from './version.ts';

export interface Run {
  readonly runtime: Runtime;
  readonly busybox: string;
  readonly directory: string;
  readonly jobs: number;
  readonly known: readonly KnownDifference[];
  /** Ends the run after the tests that are under way, so that they remove what they have made. */
  readonly stop?: AbortSignal;
  /** Told of each test as it ends. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** Runs the tests, some at a time. The outcomes are in the order of the tests. */
export async function runTests(tests: readonly TestCase[], run: Run): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = [...tests.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined && run.stop?.aborted !== true; next = queue.shift()) {
      const [index, test] = next;
      const outcome = await runOne(test, run, join(run.directory, `t${index}`));
      outcomes[index] = outcome;
      run.onOutcome?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, run.jobs) }, worker));
  return outcomes.filter((outcome) => outcome !== undefined);
}

async function runOne(test: TestCase, run: Run, directory: string): Promise<Outcome> {
  const begin = performance.now();
  const missing = test.needs.filter((need) => !need.met()).map((need) => need.what);
  if (missing.length > 0) return { test, status: 'not testable', reason: `needs ${missing.join(', ')}`, durationMs: 0 };
  const unclaimed = test.requires?.(run.runtime);
  if (unclaimed !== undefined) return { test, status: 'not testable', reason: unclaimed, durationMs: 0 };
  const problem = await problemOf(test, run, directory);
  const durationMs = performance.now() - begin;
  const difference = findKnownDifference(run.known, run.runtime, test.id);
  if (problem === undefined)
    return { test, status: 'passed', durationMs, ...(difference === undefined ? {} : { unneeded: difference.reason }) };
  if (problem instanceof NotTestable) return { test, status: 'not testable', reason: problem.message, durationMs };
  if (difference !== undefined) {
    return { test, status: 'known', reason: `${difference.reason} (${difference.reference})`, message: problem.message, durationMs };
  }
  if (test.since !== undefined && compareVersions(run.runtime.specVersion, test.since) < 0) {
    const reason = `new in version ${test.since} of the specification; the runtime follows ${run.runtime.specVersion}`;
    return { test, status: 'known', reason, message: problem.message, durationMs };
  }
  return { test, status: 'failed', message: problem.message, durationMs };
}

/** What went wrong, in the test itself or in the removal of what it has made. */
async function problemOf(test: TestCase, { runtime, busybox }: Run, directory: string): Promise<Error | undefined> {
  mkdirSync(directory, { recursive: true });
  const ground = new Ground({ runtime, busybox, directory });
  let problem: Error | undefined;
  try {
    await test.run(ground);
  } catch (error) {
    problem = asError(error);
  }
  try {
    await ground.dispose();
  } catch (error) {
    problem ??= asError(error);
  }
  return problem;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
