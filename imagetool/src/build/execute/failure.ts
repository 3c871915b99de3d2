/** What a build ends with when a step fails: the place in the Dockerfile, the command, the end of its output, and where all of it is. */

import { ImageError } from '../../base/errors.ts';
import { excerpt } from '../dockerfile/source.ts';
import type { Step } from '../plan/step.ts';

export interface FailureDetails {
  readonly step: Step;
  /** As progress names the step: `[build 2/3] RUN make`. */
  readonly name: string;
  readonly reason: string;
  /** Last lines of the output. */
  readonly output?: readonly string[];
  readonly logFile?: string;
  readonly hint?: string;
}

/** Code `build-step`. */
export class StepError extends ImageError {
  readonly step: Step;

  constructor(details: FailureDetails, options: ErrorOptions = {}) {
    const { step, output = [], logFile } = details;
    const { source } = step.language;
    const { start } = step.instruction.range;
    const lines = [
      `${details.name}: ${details.reason}`,
      `${source.name}:${start.line}:${start.column}`,
      excerpt(source, step.instruction.range),
      ...(output.length === 0 ? [] : ['the end of its output:', ...output.map((line) => ` | ${line}`)]),
      ...(logFile === undefined ? [] : [`all of its output: ${logFile}`]),
    ];
    super('build-step', lines.join('\n'), { ...options, ...(details.hint === undefined ? {} : { hint: details.hint }) });
    this.name = 'StepError';
    this.step = step;
  }
}

/** As docker words it, with what signals and special codes mean. */
export function exitReason(argv: readonly string[], code: number): string {
  const command = JSON.stringify(argv.join(' '));
  const meaning = MEANINGS.get(code);
  return `process ${command} did not complete successfully: exit code: ${code}${meaning === undefined ? '' : ` (${meaning})`}`;
}

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [126, 'found, but cannot be executed'],
  [127, 'not found'],
  [137, 'killed: perhaps out of memory'],
  [139, 'segmentation fault'],
  [143, 'terminated'],
]);
