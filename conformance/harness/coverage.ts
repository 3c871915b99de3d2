import { REQUIREMENTS, type RequirementId } from '../requirements/all.ts';
import type { Outcome } from './outcome.ts';
import type { Requirement } from './requirement.ts';
import type { TestCase } from './test-case.ts';

export type RequirementStatus = 'passed' | 'failed' | 'known' | 'not testable here' | 'untestable' | 'not run';

export interface Coverage {
  readonly id: RequirementId;
  readonly requirement: Requirement;
  readonly status: RequirementStatus;
  readonly tests: readonly string[];
}

/** What the outcomes say of each requirement. One test that fails is enough to fail it; one that could be made is enough to be covered. */
export function coverageOf(outcomes: readonly Outcome[], all: readonly TestCase[]): Coverage[] {
  return [...REQUIREMENTS].map(([id, requirement]) => {
    const tests = all.filter((test) => test.covers.includes(id)).map((test) => test.id);
    const statuses = outcomes.filter((outcome) => outcome.test.covers.includes(id)).map((outcome) => outcome.status);
    return { id, requirement, status: combine(statuses, requirement), tests };
  });
}

function combine(statuses: readonly Outcome['status'][], requirement: Requirement): RequirementStatus {
  if (requirement.untestable !== undefined && statuses.length === 0) return 'untestable';
  if (statuses.length === 0) return 'not run';
  if (statuses.includes('failed')) return 'failed';
  if (statuses.includes('known')) return 'known';
  return statuses.includes('passed') ? 'passed' : 'not testable here';
}
