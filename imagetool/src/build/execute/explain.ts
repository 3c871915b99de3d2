/** --explain: why a step is taken from the cache, or made anew. */

import type { Difference } from '../cache/inputs.ts';
import type { Trace, TracedStep } from '../cache/trace.ts';
import type { ProgressStep } from '../progress/progress.ts';

const MOST_CHARACTERS = 120;

export interface Verdict {
  readonly isHit: boolean;
  readonly mayUseCache: boolean;
  readonly told: ProgressStep;
}

export function describeDifference(trace: Trace, step: TracedStep, { isHit, mayUseCache, told }: Verdict): void {
  if (!trace.isAsked) return;
  if (isHit) told.note('hit: all inputs are those of an earlier build');
  else if (!mayUseCache) told.note('miss: the cache is not to be used');
  else if (!trace.knows(step)) told.note('miss: there was no such step in the last build');
  else {
    const difference = trace.difference(step);
    told.note(
      difference === undefined ? 'miss: its inputs are the same, but its result is gone from the store' : `miss: ${inWords(difference)}`,
    );
  }
}

export function inWords({ name, before, now }: Difference): string {
  if (before === undefined) return `${name} is new: ${short(now ?? '')}`;
  if (now === undefined) return `${name} is gone: it was ${short(before)}`;
  return `${name} changed: ${short(before)} → ${short(now)}`;
}

function short(value: string): string {
  const line = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}
