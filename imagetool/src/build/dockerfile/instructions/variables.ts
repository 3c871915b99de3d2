/** ARG, ENV and LABEL: names and values. */

import type { ArgInstruction, EnvInstruction, LabelInstruction, Pair, Word } from '../ast.ts';
import { ProblemError } from '../error.ts';
import { flagsOf, type InstructionParts, needRest } from '../instruction-parts.ts';
import type { Span } from '../span.ts';
import { splitWords } from '../words.ts';

export function parseArg(parts: InstructionParts): ArgInstruction {
  flagsOf(parts);
  const words = splitWords(needRest(parts, 'a name'), parts.escape);
  if (words.length === 0) throw new ProblemError(parts.rest.range, 'ARG needs a name');
  const given = words.map((word) => {
    if (!word.text.includes('=')) return { name: word.toWord() };
    return pairOf(parts, word);
  });
  return { ...parts.base, kind: 'ARG', arguments: given };
}

export function parseEnv(parts: InstructionParts): EnvInstruction {
  return { ...parts.base, kind: 'ENV', ...parsePairs(parts) };
}

export function parseLabel(parts: InstructionParts): LabelInstruction {
  return { ...parts.base, kind: 'LABEL', ...parsePairs(parts) };
}

/** The first word decides: with an equals sign there are pairs, without one the rest of the line is its value. */
function parsePairs(parts: InstructionParts): { readonly pairs: readonly Pair[]; readonly legacy: boolean } {
  flagsOf(parts);
  const rest = needRest(parts, 'name=value');
  const words = splitWords(rest, parts.escape);
  const [first] = words;
  if (first === undefined) throw new ProblemError(rest.range, `${parts.name} needs name=value`);
  if (!first.text.includes('=')) {
    const [name, value] = rest.splitOnce();
    if (value === undefined || value.text === '') {
      throw new ProblemError(rest.range, `${parts.name} ${name.text} has no value`, `Write ${parts.name} ${name.text}=value.`);
    }
    return { pairs: [{ name: name.toWord(), value: value.toWord() }], legacy: true };
  }
  return { pairs: words.map((word) => pairOf(parts, word)), legacy: false };
}

function pairOf(parts: InstructionParts, word: Span): { readonly name: Word; readonly value: Word } {
  const equals = word.text.indexOf('=');
  if (equals < 0) {
    throw new ProblemError(word.range, `${JSON.stringify(word.text)} is not name=value`, 'A value with blanks stands in quotes.');
  }
  if (equals === 0) throw new ProblemError(word.range, `${parts.name} ${word.text}: the name is empty`);
  return { name: word.slice(0, equals).toWord(), value: word.slice(equals + 1).toWord() };
}
