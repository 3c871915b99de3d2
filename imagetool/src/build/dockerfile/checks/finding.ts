/** One thing that a check has found. */

import type { Problem } from '../error.ts';
import { describeProblem } from '../error.ts';
import type { Range, Source } from '../source.ts';
import { type RuleName, ruleLink } from './rules.ts';

export interface Finding extends Problem {
  readonly rule: RuleName;
  /** Explains the rule. */
  readonly link: string;
}

/** How the checks say what they have found. `comments` are those above the instruction: they may say what is not to be checked. */
export type Report = (rule: RuleName, range: Range, reason: string, comments?: readonly string[]) => void;

/** `NAME:LINE:COLUMN: reason (Rule)`, the excerpt, and the link. */
export function describeFinding(source: Source, { rule, range, reason, link }: Finding): string {
  return describeProblem(source, { range, reason: `${reason} (${rule})`, hint: link }, { withHint: true });
}

export function findingOf(rule: RuleName, range: Range, reason: string): Finding {
  return { rule, range, reason, link: ruleLink(rule) };
}
