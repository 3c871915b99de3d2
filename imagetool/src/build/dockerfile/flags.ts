/** The flags of one instruction, each with its place. */

import { findNearestName } from '../../../../specs/schema/nearest-name.ts';
import type { Word } from './ast.ts';
import { ProblemError } from './error.ts';
import type { RawFlag } from './words.ts';

/** `value` may be said once, `values` often. */
export type FlagKind = 'value' | 'values' | 'boolean';

export class Flags {
  readonly #given = new Map<string, RawFlag[]>();

  /** Throws ProblemError for a flag that is not in `kinds`, without its value, or said twice. */
  constructor(keyword: string, given: readonly RawFlag[], kinds: Readonly<Record<string, FlagKind>>) {
    for (const flag of given) {
      const kind = Object.hasOwn(kinds, flag.name) ? kinds[flag.name] : undefined;
      if (kind === undefined) throw unknown(keyword, flag, Object.keys(kinds));
      const before = this.#given.get(flag.name) ?? [];
      if (before.length > 0 && kind !== 'values') throw new ProblemError(flag.word.range, `--${flag.name} is there twice`);
      if (kind === 'boolean') booleanOf(flag);
      else if (flag.value === undefined) throw new ProblemError(flag.word.range, `--${flag.name} needs a value: --${flag.name}=…`);
      this.#given.set(flag.name, [...before, flag]);
    }
  }

  value(name: string): Word | undefined {
    return this.values(name)[0];
  }

  values(name: string): Word[] {
    return (this.#given.get(name) ?? []).flatMap(({ value }) => value ?? []);
  }

  boolean(name: string): boolean | undefined {
    const flag = this.#given.get(name)?.[0];
    return flag === undefined ? undefined : booleanOf(flag);
  }
}

function booleanOf(flag: RawFlag): boolean {
  const text = flag.value?.text.toLowerCase() ?? 'true';
  if (text !== 'true' && text !== 'false')
    throw new ProblemError(flag.word.range, `--${flag.name} is true or false, not ${JSON.stringify(text)}`);
  return text === 'true';
}

/** Where a flag is that somebody writes at the wrong instruction. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  from: 'COPY',
  parents: 'COPY',
  checksum: 'ADD',
  'keep-git-dir': 'ADD',
  unpack: 'ADD',
  mount: 'RUN',
  network: 'RUN',
  security: 'RUN',
  platform: 'FROM',
};

function unknown(keyword: string, flag: RawFlag, known: readonly string[]): ProblemError {
  const nearest = findNearestName(flag.name, known);
  return new ProblemError(flag.word.range, `${keyword} has no flag --${flag.name}`, hintFor(keyword, flag, known, nearest));
}

function hintFor(keyword: string, flag: RawFlag, known: readonly string[], nearest: string | undefined): string {
  const home = Object.hasOwn(ELSEWHERE, flag.name) ? ELSEWHERE[flag.name] : undefined;
  if (home !== undefined) return `--${flag.name} is a flag of ${home}.`;
  if (nearest !== undefined) return `Did you mean --${nearest}?`;
  if (known.length === 0) return `${keyword} has no flags; where the argument itself begins so, write -- before it.`;
  return `It has ${known.map((name) => `--${name}`).join(', ')}; where the argument itself begins so, write -- before it.`;
}

/** One of a few words; undefined where the flag is not given. Throws ProblemError. */
export function choiceOf<Choice extends string>(word: Word | undefined, name: string, choices: readonly Choice[]): Choice | undefined {
  if (word === undefined) return undefined;
  const choice = choices.find((one) => one === word.text);
  if (choice !== undefined) return choice;
  const nearest = findNearestName(word.text, choices);
  const hint = nearest === undefined ? `It is one of ${choices.join(', ')}.` : `Did you mean ${nearest}?`;
  throw new ProblemError(word.range, `--${name} cannot be ${JSON.stringify(word.text)}`, hint);
}
