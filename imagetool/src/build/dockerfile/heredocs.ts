/** `<<NAME` in RUN, COPY and ADD: which words begin a heredoc. The words are the shell's, whose escape is always the backslash. */

import { isSpace, type Span } from './span.ts';

export interface HeredocMarker {
  readonly name: string;
  readonly expands: boolean;
  readonly chomps: boolean;
  readonly span: Span;
}

/** All of an instruction, in their order; none where the quotes of the line do not match. */
export function findHeredocs(line: Span): HeredocMarker[] {
  if (!line.text.includes('<<')) return [];
  const markers: HeredocMarker[] = [];
  for (const word of shellWords(line) ?? []) {
    const marker = parseHeredoc(word);
    if (marker !== undefined) markers.push(marker);
  }
  return markers;
}

/** Of one word, or of a text that is nothing but a heredoc: `<<EOF`, `3<<-"EOF"`, `<< EOF`. */
export function parseHeredoc(span: Span): HeredocMarker | undefined {
  const [, dash, rest = ''] = /^\d*<<(-?)\s*([^<]*)$/.exec(span.text) ?? [];
  if (dash === undefined || rest === '') return undefined;
  const read = unquote(rest);
  if (read === undefined || read.name === '') return undefined;
  return { name: read.name, expands: !read.isQuoted, chomps: dash === '-', span };
}

/** Undefined: more than one word, or a quote that nobody closes. */
function unquote(text: string): { readonly name: string; readonly isQuoted: boolean } | undefined {
  let name = '';
  let quote = '';
  let isQuoted = false;
  const word = text.trimEnd();
  for (let at = 0; at < word.length; at += 1) {
    const character = word.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
      else name += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      isQuoted = true;
    } else if (character === '\\') {
      at += 1;
      name += word.charAt(at);
    } else if (isSpace(character)) return undefined;
    else name += character;
  }
  return quote === '' ? { name, isQuoted } : undefined;
}

/** Undefined: a quote that nobody closes. */
function shellWords(line: Span): Span[] | undefined {
  const { text } = line;
  const words: Span[] = [];
  let from = -1;
  let at = 0;
  while (at < text.length) {
    if (isSpace(text.charAt(at))) {
      if (from >= 0) words.push(line.slice(from, at));
      from = -1;
      at += 1;
      continue;
    }
    if (from < 0) from = at;
    const next = endOfToken(text, at);
    if (next === undefined) return undefined;
    at = next;
  }
  if (from >= 0) words.push(line.slice(from));
  return words;
}

/** Steps over one character, or what belongs together: quotes, an escape, arithmetic, `<<` and the blanks behind it. */
function endOfToken(text: string, at: number): number | undefined {
  const character = text.charAt(at);
  if (character === '\\') return Math.min(at + 2, text.length);
  if (character === "'") {
    const end = text.indexOf("'", at + 1);
    return end < 0 ? undefined : end + 1;
  }
  if (character === '"') return endOfDoubleQuotes(text, at);
  // In $((1 << 2)) nothing is a heredoc.
  if (text.startsWith('$((', at)) return endOfArithmetic(text, at);
  if (text.startsWith('<<', at)) return at + (/^<<[\t\r ]*/.exec(text.slice(at))?.[0].length ?? 2);
  return at + 1;
}

function endOfDoubleQuotes(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\') at += 1;
    else if (text.charAt(at) === '"') return at + 1;
  }
  return undefined;
}

function endOfArithmetic(text: string, from: number): number {
  let depth = 0;
  for (let at = from + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '(') depth += 1;
    else if (text.charAt(at) === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return from + 3;
}

/** `<<-`: without the tabs at the start of its lines. */
export function chompTabs(body: string): string {
  return body.replace(/^\t+/gm, '');
}
