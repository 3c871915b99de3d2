/** Text of an instruction that knows where in the file it comes from: an instruction is one line of text, but may come from several. */

import type { Word } from './ast.ts';
import type { Position, Range } from './source.ts';

/** What counts as a blank between words. The language has its own list: a no-break space parts no words. */
const BETWEEN_WORDS = /[\t\v\f\r ]+/g;
/** What is trimmed, and what ends a word that may be quoted: any space of Unicode. */
const SPACE = /[\s\u0085]/;

export function isSpace(character: string): boolean {
  return SPACE.test(character) && character !== '\uFEFF';
}

/** Where a text begins and ends when its spaces at both ends do not count; the same place twice where there is nothing else. */
export function contentOf(text: string): { readonly from: number; readonly to: number } {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charAt(from))) from += 1;
  while (to > from && isSpace(text.charAt(to - 1))) to -= 1;
  return { from, to };
}

/** A piece of one line of the file. */
export interface Piece extends Position {
  readonly text: string;
}

interface Segment extends Position {
  /** Where it begins in the whole text. */
  readonly offset: number;
}

export class Span {
  readonly text: string;
  readonly #segments: readonly Segment[];
  readonly #from: number;

  private constructor(text: string, segments: readonly Segment[], from: number) {
    this.text = text;
    this.#segments = segments;
    this.#from = from;
  }

  /** `pieces` has at least one element. */
  static of(pieces: readonly Piece[]): Span {
    let offset = 0;
    const segments = pieces.map(({ text, line, column }) => {
      const segment = { offset, line, column };
      offset += text.length;
      return segment;
    });
    return new Span(pieces.map((piece) => piece.text).join(''), segments, 0);
  }

  slice(from: number, to = this.text.length): Span {
    return new Span(this.text.slice(from, to), this.#segments, this.#from + from);
  }

  trim(): Span {
    const { from, to } = contentOf(this.text);
    return this.slice(from, to);
  }

  /** Parts between blanks. Of an empty text none; blanks at the ends do not make empty parts. */
  split(): Span[] {
    const parts: Span[] = [];
    let from = 0;
    for (const blank of this.text.matchAll(BETWEEN_WORDS)) {
      if (blank.index > from) parts.push(this.slice(from, blank.index));
      from = blank.index + blank[0].length;
    }
    if (from < this.text.length) parts.push(this.slice(from));
    return parts;
  }

  /** The part before the first blanks, and the part after them; undefined: there are none. */
  splitOnce(): readonly [Span, Span | undefined] {
    const blank = /[\t\v\f\r ]+/.exec(this.text);
    if (blank === null) return [this, undefined];
    return [this.slice(0, blank.index), this.slice(blank.index + blank[0].length)];
  }

  get range(): Range {
    const start = this.#position(this.#from);
    if (this.text === '') return { start, end: start };
    const last = this.#position(this.#from + this.text.length - 1);
    return { start, end: { line: last.line, column: last.column + 1 } };
  }

  toWord(text = this.text): Word {
    return { text, range: this.range };
  }

  #position(offset: number): Position {
    const segment = this.#segments.findLast((one) => one.offset <= offset) ?? { offset: 0, line: 1, column: 1 };
    return { line: segment.line, column: segment.column + offset - segment.offset };
  }
}
