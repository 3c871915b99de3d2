import { countOutcomes } from '../outcome.ts';
import { SPEC_URL } from '../requirement.ts';
import type { Report } from './report.ts';

/** Everything, for programs. */
export function formatJson({ runtime, outcomes, coverage, durationMs }: Report): string {
  const { name, version, path, specVersion } = runtime;
  const document = {
    runtime: { name, version, path, specVersion },
    counts: countOutcomes(outcomes),
    durationMs: Math.round(durationMs),
    tests: outcomes.map(({ test, durationMs: time, ...rest }) => ({
      id: test.id,
      title: test.title,
      covers: test.covers,
      ...rest,
      durationMs: Math.round(time),
    })),
    requirements: coverage.map(({ id, requirement, status, tests }) => ({
      id,
      level: requirement.level,
      text: requirement.text,
      link: SPEC_URL + requirement.section,
      status,
      ...(requirement.untestable === undefined ? {} : { untestable: requirement.untestable }),
      tests,
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
