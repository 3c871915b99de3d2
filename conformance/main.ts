/** tsrun-conformance: tests an OCI runtime from outside. The one place that reads the command line and sets the exit code. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { coverageOf } from './harness/coverage.ts';
import { selectTests } from './harness/filter.ts';
import { Ground } from './harness/ground.ts';
import { countOutcomes } from './harness/outcome.ts';
import { formatJson } from './harness/report/json.ts';
import { formatJunit } from './harness/report/junit.ts';
import type { Report } from './harness/report/report.ts';
import { formatSummary } from './harness/report/summary.ts';
import { formatTap } from './harness/report/tap.ts';
import { prepareBusybox } from './harness/rootfs.ts';
import { runTests } from './harness/run-tests.ts';
import { identify, type Runtime } from './harness/runtime.ts';
import type { TestCase } from './harness/test-case.ts';
import { KNOWN_DIFFERENCES } from './known-differences/all.ts';
import { ALL_TESTS } from './tests/all.ts';

const USAGE = `Usage: tsrun-conformance --runtime PATH [--filter AREA|ID]… [--format tap|junit|json] [--list] [--verbose]

Tests an OCI runtime that has runc's command line, as root, and says which requirements of the specification it meets.

  --runtime PATH     the runtime under test
  --filter PREFIX    only tests whose id, or a requirement they cover, begins with this; may be repeated
  --format FORMAT    tap (default), junit or json, on standard output; the summary goes to standard error
  --jobs N           how many tests at a time (default 4)
  --busybox PATH     a static busybox for the root file systems
  --list             print the tests instead of running them
  --verbose          print each test on standard error as it ends

Exit status: 0 no failures but known differences, 1 failures, 2 wrong usage, 3 the runtime cannot run any container here
`;
const FORMATS: Readonly<Record<string, (report: Report) => string>> = { tap: formatTap, junit: formatJunit, json: formatJson };
const EXIT_FAILURES = 1;
const EXIT_USAGE = 2;
const EXIT_UNUSABLE = 3;

class UsageError extends Error {}

function readArguments() {
  try {
    return parseArgs({
      options: {
        runtime: { type: 'string' },
        filter: { type: 'string', multiple: true, default: [] },
        format: { type: 'string', default: 'tap' },
        jobs: { type: 'string', default: '4' },
        busybox: { type: 'string' },
        list: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  const options = readArguments();
  if (options.help) return print(USAGE);
  const tests = select(options.filter);
  if (options.list) return print(tests.map((test) => `${test.id}: ${test.title} [${test.covers.join(', ')}]\n`).join(''));
  const format = FORMATS[options.format];
  if (format === undefined) throw new UsageError(`there is no format ${JSON.stringify(options.format)}: tap, junit or json`);
  if (options.runtime === undefined) throw new UsageError('--runtime PATH is missing');
  const jobs = Number(options.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new UsageError('--jobs takes a number from 1');
  const runtime = await identify(resolve(options.runtime));
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
  // The root of a user namespace must reach its root file system.
  chmodSync(directory, 0o711);
  try {
    const busybox = prepareBusybox(directory, options.busybox);
    const problem = await preflight(runtime, busybox, join(directory, 'preflight'));
    if (problem !== undefined) {
      process.stderr.write(`${runtime.name} ${runtime.version} cannot run the simplest container here: ${problem}\n`);
      return EXIT_UNUSABLE;
    }
    const report = await makeReport(tests, { runtime, busybox, directory, jobs }, options.verbose);
    print(format(report));
    process.stderr.write(formatSummary(report));
    const isWhole = report.outcomes.length === tests.length;
    if (!isWhole) process.stderr.write(`stopped after ${report.outcomes.length} of ${tests.length} tests\n`);
    return isWhole && countOutcomes(report.outcomes).failed === 0 ? 0 : EXIT_FAILURES;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Place {
  readonly runtime: Runtime;
  readonly busybox: string;
  readonly directory: string;
  readonly jobs: number;
}

async function makeReport(tests: readonly TestCase[], place: Place, verbose: boolean): Promise<Report> {
  const begin = performance.now();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const outcomes = await runTests(tests, {
    ...place,
    known: KNOWN_DIFFERENCES,
    stop: stop.signal,
    onOutcome: ({ test, status, message = '', durationMs }) => {
      if (verbose) process.stderr.write(`${status} ${test.id} (${Math.round(durationMs)} ms) ${message}\n`);
    },
  });
  return { runtime: place.runtime, outcomes, coverage: coverageOf(outcomes, ALL_TESTS), durationMs: performance.now() - begin };
}

/** Without this, a host that suits no container makes hundreds of failures. Returns the problem. */
async function preflight(runtime: Runtime, busybox: string, directory: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'the suite needs root';
  const ground = new Ground({ runtime, busybox, directory });
  try {
    const printed = await ground.sh('echo ready');
    return printed === 'ready' ? undefined : `it printed ${JSON.stringify(printed)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await ground.dispose();
  }
}

function select(patterns: readonly string[]): TestCase[] {
  try {
    return selectTests(ALL_TESTS, patterns);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(error instanceof UsageError ? `${message}\n\n${USAGE}` : `tsrun-conformance: ${message}\n`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_UNUSABLE;
  },
);
