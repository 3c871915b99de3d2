import { describeProblem, type Problem } from '../../../specs/schema/problem.ts';
import { RuntimeError } from '../base/errors.ts';

export type { Problem } from '../../../specs/schema/problem.ts';

/** A document that cannot be used. The message lists every problem, so that nobody has to find them one after the other. */
export class ConfigError extends RuntimeError {
  readonly problems: readonly Problem[];

  /** `document` is what the user calls it: `config.json`. */
  constructor(document: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? '' : ` (${problems.length} problems)`;
    super('invalid-config', `invalid ${document}${count}: ${problems.map(describeProblem).join('; ')}`, configPathOf(problems));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function configPathOf(problems: readonly Problem[]): { configPath?: string } {
  const path = problems[0]?.path;
  return path === undefined || path === '' ? {} : { configPath: path };
}
