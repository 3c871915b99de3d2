/** `["a", "b"]`: the form of an instruction that no shell sees. */

import type { Word } from './ast.ts';
import { ProblemError } from './error.ts';
import type { Span } from './span.ts';

/** Undefined: the text is no JSON array, and so in the other form. Throws ProblemError for an array with anything but strings. */
export function parseExecForm(span: Span): readonly Word[] | undefined {
  if (!span.text.startsWith('[')) return undefined;
  const value = parseJson(span.text);
  if (!Array.isArray(value)) return undefined;
  const items = value.filter((item): item is string => typeof item === 'string');
  if (items.length < value.length) {
    throw new ProblemError(span.range, 'a JSON array may have only strings here', 'Put every argument into double quotes.');
  }
  const places = [...span.text.matchAll(/"(?:[^"\\]|\\.)*"/g)];
  return items.map((item, index) => {
    const place = places[index];
    return place === undefined ? span.toWord(item) : span.slice(place.index, place.index + place[0].length).toWord(item);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Then it is in the other form: `[` is also a command of the shell.
    return undefined;
  }
}

/** Whether a text was probably meant to be an array of strings, but is none: single quotes, a comma too many, a bracket missing. */
export function looksLikeExecForm(text: string): boolean {
  return /^\[\s*(?:"[^"]*"|'[^']*')\s*(?:,|\]|$)/.test(text) && parseJson(text) === undefined;
}
