import type { Coverage } from '../coverage.ts';
import { countOutcomes, type Outcome } from '../outcome.ts';
import type { Report } from './report.ts';

/** The end of a run in words: known differences, what is not testable here and why, requirements without a test, counts. */
export function formatSummary({ runtime, outcomes, coverage, durationMs }: Report): string {
  const counts = countOutcomes(outcomes);
  const covered = coverage.filter(({ status }) => ['passed', 'failed', 'known'].includes(status));
  return [
    ...section('Known differences', grouped(outcomes.filter(({ status }) => status === 'known'))),
    ...section(
      'Differences that are written down but do not show',
      outcomes.filter(({ unneeded }) => unneeded !== undefined).map(({ test, unneeded }) => `${test.id}: ${unneeded}`),
    ),
    ...section('Not testable here', grouped(outcomes.filter(({ status }) => status === 'not testable'))),
    ...section(
      'Requirements that no test can show',
      byReason(coverage.filter(({ status }) => status === 'untestable').map(({ id, requirement }) => [requirement.untestable, id])),
    ),
    ...section('Requirements not covered in this run', withStatus(coverage, 'not testable here')),
    ...section('Requirements that failed', withStatus(coverage, 'failed')),
    ...section(
      'Tests that failed',
      outcomes.filter(({ status }) => status === 'failed').map(({ test, message }) => `${test.id}: ${message?.split('\n')[0]}`),
    ),
    `${runtime.name} ${runtime.version}: ${counts.passed} passed, ${counts.failed} failed, ${counts.known} known differences, ${counts['not testable']} not testable here, in ${(durationMs / 1000).toFixed(1)} s; ${covered.length} of ${coverage.length} requirements covered`,
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

function grouped(outcomes: readonly Outcome[]): string[] {
  return byReason(outcomes.map(({ test, reason }) => [reason, test.id]));
}

/** One line for each reason. */
function byReason(pairs: readonly (readonly [string | undefined, string])[]): string[] {
  const reasons = new Map<string, string[]>();
  for (const [reason = '', id] of pairs) reasons.set(reason, [...(reasons.get(reason) ?? []), id]);
  return [...reasons].map(([reason, ids]) => `${reason}: ${ids.join(', ')}`);
}

function withStatus(coverage: readonly Coverage[], wanted: Coverage['status']): string[] {
  return coverage
    .filter(({ status }) => status === wanted)
    .map(({ id, requirement }) => `${id}: ${requirement.level}: ${requirement.text}`);
}
