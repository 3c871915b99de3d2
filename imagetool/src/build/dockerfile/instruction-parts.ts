/** An instruction taken apart as far as all instructions are alike; each kind reads the rest (`instructions/`). */

import type { Escape, Heredoc, InstructionBase } from './ast.ts';
import { ProblemError } from './error.ts';
import { type FlagKind, Flags } from './flags.ts';
import type { Span } from './span.ts';
import type { RawFlag } from './words.ts';

export interface InstructionParts {
  readonly base: InstructionBase;
  /** In upper case. */
  readonly name: string;
  readonly flags: readonly RawFlag[];
  /** Behind the flags, without blanks at its ends. */
  readonly rest: Span;
  readonly heredocs: readonly Heredoc[];
  readonly escape: Escape;
}

/** Throws ProblemError, as everything that reads an instruction. */
export function flagsOf(parts: InstructionParts, kinds: Readonly<Record<string, FlagKind>> = {}): Flags {
  return new Flags(parts.name, parts.flags, kinds);
}

/** Throws ProblemError where there is nothing behind the keyword. */
export function needRest(parts: InstructionParts, what: string): Span {
  if (parts.rest.text === '') throw new ProblemError(parts.base.keyword.range, `${parts.name} needs ${what}`);
  return parts.rest;
}
