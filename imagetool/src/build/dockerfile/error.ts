/** What is wrong with a Dockerfile, where, and what was probably meant. */

import { ImageError } from '../../base/errors.ts';
import { excerpt, type Range, type Source } from './source.ts';

export interface Problem {
  readonly range: Range;
  /** A sentence without its full stop. */
  readonly reason: string;
  /** The nearest word that is right here, or what to write instead: a whole sentence. */
  readonly hint?: string;
}

/**
 * A Dockerfile that cannot be built: code `dockerfile`. The message has, for each problem, its place, the reason and the lines around it.
 */
export class DockerfileError extends ImageError {
  readonly source: Source;
  /** At least one, in the order of the file. */
  readonly problems: readonly [Problem, ...Problem[]];

  constructor(source: Source, problems: readonly [Problem, ...Problem[]]) {
    const [first, ...others] = problems;
    const hint = others.length === 0 ? first.hint : undefined;
    const parts = problems.map((problem) => describeProblem(source, problem, { withHint: hint === undefined }));
    super('dockerfile', parts.join('\n\n'), hint === undefined ? {} : { hint });
    this.name = 'DockerfileError';
    this.source = source;
    this.problems = problems;
  }
}

/** `NAME:LINE:COLUMN: reason`, and the excerpt below. */
export function describeProblem(source: Source, problem: Problem, { withHint }: { readonly withHint: boolean }): string {
  const { line, column } = problem.range.start;
  const head = `${source.name}:${line}:${column}: ${problem.reason}`;
  const hint = withHint && problem.hint !== undefined ? [problem.hint] : [];
  return [head, excerpt(source, problem.range), ...hint].join('\n');
}

/** A problem found deep inside, before the source is known; the parser collects them into one DockerfileError. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(range: Range, reason: string, hint?: string) {
    super(reason);
    this.name = 'ProblemError';
    this.problem = { range, reason, ...(hint === undefined ? {} : { hint }) };
  }
}
