/** Puts variables into instructions and reads the values that may have them. */

import type { Dockerfile, FromInstruction, StageInstruction, Word } from './ast.ts';
import { DockerfileError, ProblemError } from './error.ts';
import type { ExpandedInstruction } from './expanded.ts';
import { expanders } from './expanders.ts';
import { type StageScope, type Variables, variablesOf } from './scope.ts';
import { substitute, substituteWords } from './substitute.ts';
import { SubstitutionError } from './substitution-error.ts';

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
export function expandInstruction(instruction: StageInstruction, scope: StageScope, language: Language): Expansion<ExpandedInstruction> {
  return collect(language, (names) => expanders(new Words(language, names), scope)(instruction));
}

/** FROM sees only the global arguments. Throws DockerfileError. */
export function expandFrom(instruction: FromInstruction, globals: Variables, language: Language): Expansion<ExpandedFrom> {
  return collect(language, (names) => {
    const words = new Words(language, names);
    const image = words.expand(instruction.image, globals);
    if (image === '') {
      const hint = 'Give its ARG a default before FROM, or a value with --build-arg.';
      throw new ProblemError(instruction.image.range, `${instruction.image.text} is empty: FROM needs an image`, hint);
    }
    const platform = instruction.platform === undefined ? '' : words.expand(instruction.platform, globals);
    return { image, ...(platform === '' ? {} : { platform }) };
  });
}

/**
 * The arguments before the first FROM. `predefined` are those of the platform (TARGETPLATFORM …), which need no declaration in FROM.
 * Throws DockerfileError.
 */
export function globalScope(
  dockerfile: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  buildArguments: ReadonlyMap<string, string>,
): Variables {
  const values = new Map(predefined);
  return collect(dockerfile, (names) => {
    const words = new Words(dockerfile, names);
    for (const { arguments: given } of dockerfile.globals) {
      for (const { name, value } of given) {
        const result = buildArguments.get(name.text) ?? (value === undefined ? undefined : words.expand(value, variablesOf(values)));
        if (result !== undefined) values.set(name.text, result);
      }
    }
    return variablesOf(values);
  }).result;
}

interface Names {
  readonly used: Set<string>;
  readonly missing: Set<string>;
}

function collect<Result>({ source }: Language, expand: (names: Names) => Result): Expansion<Result> {
  const names: Names = { used: new Set(), missing: new Set() };
  try {
    return { result: expand(names), ...names };
  } catch (error) {
    if (error instanceof ProblemError) throw new DockerfileError(source, [error.problem]);
    throw error;
  }
}

/** Expands words of one instruction, and keeps which variables it asked for. Its methods throw ProblemError. */
export class Words {
  readonly #language: Language;
  readonly #names: Names;

  constructor(language: Language, names: Names) {
    this.#language = language;
    this.#names = names;
  }

  expand(word: Word, variables: Variables): string {
    return this.#at(word, () => substitute(word.text, variables, this.#options()));
  }

  /** Blanks in values part words. */
  split(word: Word, variables: Variables): string[] {
    return this.#at(word, () => substituteWords(word.text, variables, this.#options()));
  }

  /** `text` is a part of `word`. */
  part(word: Word, text: string, variables: Variables): string {
    return this.#at(word, () => substitute(text, variables, this.#options()));
  }

  /** The body of a heredoc: quotes stay, and the escape is always the backslash, as in the shell. */
  body(word: Word, text: string, variables: Variables): string {
    return this.#at(word, () => substitute(text, variables, { ...this.#options(), escape: '\\', quotesArePlain: true }));
  }

  #at<Result>({ range }: Word, read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (error instanceof SubstitutionError) throw new ProblemError(range, error.message, error.hint);
      throw error;
    }
  }

  #options() {
    return {
      escape: this.#language.escape,
      onName: (name: string, isSet: boolean) => {
        if (isSet) this.#names.used.add(name);
        else this.#names.missing.add(name);
      },
    };
  }
}
