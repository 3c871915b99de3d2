/** Splitting an instruction's text into words that may be quoted. Quotes and escapes stay in the words: expansion takes them away. */

import type { Escape, Word } from './ast.ts';
import { isSpace, type Span } from './span.ts';

/** As ENV, LABEL and ARG split. A quote that nobody closes goes to the end of the text. */
export function splitWords(span: Span, token: Escape): Span[] {
  const { text } = span;
  const words: Span[] = [];
  for (let at = 0; at < text.length; ) {
    if (isSpace(text.charAt(at))) at += 1;
    else {
      const end = endOfWord(text, at, { token, escapesInSingleQuotes: false });
      // An escape character at the very end escapes nothing, and is no part of the word.
      const to = end > text.length ? text.length - 1 : end;
      if (to > at) words.push(span.slice(at, to));
      at = end;
    }
  }
  return words;
}

/** One more than the length of the text where its last character is an escape. */
function endOfWord(text: string, from: number, rules: { readonly token: Escape; readonly escapesInSingleQuotes: boolean }): number {
  let quote = '';
  let at = from;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === rules.token && (quote !== "'" || rules.escapesInSingleQuotes)) at += 1;
    else if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (isSpace(character)) return at;
  }
  return at;
}

/** `--name=value` before the arguments, without quotes and escapes. */
export interface RawFlag {
  readonly name: string;
  /** Undefined: without `=`. */
  readonly value?: Word;
  /** The whole flag. */
  readonly word: Word;
}

/** The flags at the start of `span`, and what comes after them; `--` alone ends them. */
export function takeFlags(span: Span, token: Escape): { readonly flags: readonly RawFlag[]; readonly rest: Span } {
  const { text } = span;
  const flags: RawFlag[] = [];
  let at = 0;
  while (at < text.length) {
    if (isSpace(text.charAt(at))) {
      at += 1;
      continue;
    }
    if (!text.startsWith('--', at)) return { flags, rest: span.slice(at).trim() };
    const end = endOfWord(text, at, { token, escapesInSingleQuotes: true });
    const part = span.slice(at, end);
    const plain = unquote(part.text, token);
    at = end;
    if (plain === '--') return { flags, rest: span.slice(at).trim() };
    flags.push(flagOf(part, plain));
  }
  return { flags, rest: span.slice(text.length) };
}

function flagOf(part: Span, plain: string): RawFlag {
  const word = part.toWord(plain);
  const equals = plain.indexOf('=');
  if (equals < 0) return { name: plain.slice(2), word };
  const written = part.text.indexOf('=');
  return { name: plain.slice(2, equals), value: part.slice(written < 0 ? 0 : written + 1).toWord(plain.slice(equals + 1)), word };
}

function unquote(text: string, token: Escape): string {
  let plain = '';
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === token) {
      at += 1;
      plain += text.charAt(at);
    } else if (quote !== '' && character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else plain += character;
  }
  return plain;
}
