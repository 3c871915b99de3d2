/** Which variables an instruction sees. Values are immutable: one instruction sees one state, as `ENV a=b c=$a` shows. */

import type { ExpandedArg, ExpandedEnv } from './expanded.ts';

export interface Variables {
  /** Undefined: not set, which is not the same as empty. */
  get(name: string): string | undefined;
  names(): readonly string[];
}

export function variablesOf(values: Iterable<readonly [string, string]>): Variables {
  const map = new Map(values);
  return { get: (name) => map.get(name), names: () => [...map.keys()] };
}

export interface StageScopeOptions {
  /** `Env` of the image it begins with: `NAME=value`. */
  readonly environment: readonly string[];
  /** Of globalScope: what an ARG without a default takes. */
  readonly globals: Variables;
  /** --build-arg. */
  readonly buildArguments: ReadonlyMap<string, string>;
}

/** An argument that a stage has declared. */
export interface DeclaredArgument {
  readonly name: string;
  readonly value?: string;
}

/**
 * The variables of a stage at one instruction: its environment and its arguments, the later declaration of a name before the earlier.
 * A stage FROM another goes on with the scope that the other ended with.
 */
export class StageScope implements Variables {
  readonly globals: Variables;
  readonly buildArguments: ReadonlyMap<string, string>;
  /** Every ARG so far, each name once, in order: what history shows before a RUN. */
  readonly declared: readonly DeclaredArgument[];
  readonly #values: ReadonlyMap<string, string>;

  private constructor(
    options: Omit<StageScopeOptions, 'environment'>,
    values: ReadonlyMap<string, string>,
    declared: readonly DeclaredArgument[],
  ) {
    this.globals = options.globals;
    this.buildArguments = options.buildArguments;
    this.#values = values;
    this.declared = declared;
  }

  static begin(options: StageScopeOptions): StageScope {
    const pairs = options.environment.map((one): [string, string] => {
      const equals = one.indexOf('=');
      return equals < 0 ? [one, ''] : [one.slice(0, equals), one.slice(equals + 1)];
    });
    return new StageScope(options, new Map(pairs), []);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** What a command of RUN gets as its environment: `NAME=value`. */
  environment(): readonly string[] {
    return Array.from(this.#values, ([name, value]) => `${name}=${value}`);
  }

  /** The scope of the next instruction. */
  after(instruction: ExpandedArg | ExpandedEnv): StageScope {
    const values = new Map(this.#values);
    if (instruction.kind === 'ENV') {
      for (const { name, value } of instruction.pairs) values.set(name, value);
      return new StageScope(this, values, this.declared);
    }
    const declared = new Map(this.declared.map((one) => [one.name, one]));
    for (const argument of instruction.arguments) {
      if (argument.value !== undefined) values.set(argument.name, argument.value);
      declared.set(argument.name, argument);
    }
    return new StageScope(this, values, [...declared.values()]);
  }
}
