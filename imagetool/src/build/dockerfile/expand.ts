/** Puts variables into instructions and reads the values that may have them. */

import type { Dockerfile, FromInstruction, StageInstruction } from './ast.ts';
import type { ExpandedInstruction } from './expanded.ts';
import type { StageScope, Variables } from './scope.ts';

/** Where an instruction stands: for messages and for what escapes. Of a trigger, the Dockerfile that its FROM stands in. */
export type Language = Pick<Dockerfile, 'source' | 'escape'>;

export interface Expansion<Result> {
  readonly result: Result;
  /** Variables that were asked for: with a value, and without one. */
  readonly used: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

export interface ExpandedFrom {
  readonly image: string;
  readonly platform?: string;
}

/** Throws DockerfileError: bad substitution, a value that is not right, `${name:?reason}`. */
export function expandInstruction(instruction: StageInstruction, _scope: StageScope, _language: Language): Expansion<ExpandedInstruction> {
  throw new Error(`not written yet: ${instruction.kind}`);
}

/** FROM sees only the global arguments. Throws DockerfileError. */
export function expandFrom(instruction: FromInstruction, _globals: Variables, _language: Language): Expansion<ExpandedFrom> {
  throw new Error(`not written yet: ${instruction.kind}`);
}

/**
 * The arguments before the first FROM. `predefined` are those of the platform (TARGETPLATFORM …), which need no declaration in FROM.
 * Throws DockerfileError.
 */
export function globalScope(
  dockerfile: Dockerfile,
  _predefined: ReadonlyMap<string, string>,
  _buildArguments: ReadonlyMap<string, string>,
): Variables {
  throw new Error(`not written yet: ${dockerfile.source.name}`);
}
