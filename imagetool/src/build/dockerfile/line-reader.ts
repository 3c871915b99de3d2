/** From lines of the file to instructions on one line: comments, continuations, and the bodies of heredocs. */

import type { Escape } from './ast.ts';
import type { Position, Range, Source } from './source.ts';
import { contentOf, type Piece, Span } from './span.ts';

export interface LogicalLine {
  /** At least one character that is no space. */
  readonly span: Span;
  readonly start: Position;
  /** Of the last line that belongs to it; a heredoc's body comes after it. */
  readonly end: Position;
  readonly comments: readonly string[];
  /** Blank lines between the first and the last. */
  readonly emptyContinuations: readonly Range[];
}

export interface Body {
  readonly text: string;
  readonly start: Position;
  /** Of the line that ends it. */
  readonly end: Position;
}

export class LineReader {
  readonly #source: Source;
  readonly #continuation: RegExp;
  #index: number;

  /** Begins after `skip` lines: those of the directives. */
  constructor(source: Source, token: Escape, skip: number) {
    this.#source = source;
    // An escaped escape character at the end continues nothing.
    this.#continuation = token === '\\' ? /(?:^|[^\\])(\\[ \t]*)$/ : /(?:^|[^`])(`[ \t]*)$/;
    this.#index = skip;
  }

  /** The next instruction; undefined at the end of the file. */
  next(): LogicalLine | undefined {
    let comments: string[] = [];
    for (let line = this.#take(); line !== undefined; line = this.#take()) {
      const content = trim(line);
      if (content.startsWith('#')) {
        const comment = content.slice(1).trim();
        comments = comment === '' ? [] : [...comments, comment];
      } else if (content === '') comments = [];
      else {
        const read = this.#readFrom(line, comments);
        if (read !== undefined) return read;
        comments = [];
      }
    }
    return undefined;
  }

  /** The lines up to one that is `terminator`; undefined: the file ends before. `chomps`: leading tabs of that line do not count. */
  takeBody(terminator: string, chomps: boolean): Body | undefined {
    const start = { line: this.#index + 1, column: 1 };
    const taken: string[] = [];
    for (let line = this.#take(); line !== undefined; line = this.#take()) {
      const text = line.replace(/\r+$/, '');
      if ((chomps ? text.replace(/^\t+/, '') : text) === terminator) {
        return { text: taken.map((one) => `${one}\n`).join(''), start, end: { line: this.#index, column: text.length + 1 } };
      }
      taken.push(line);
    }
    return undefined;
  }

  #readFrom(firstLine: string, comments: readonly string[]): LogicalLine | undefined {
    const content = contentOf(firstLine);
    const start = { line: this.#index, column: content.from + 1 };
    const pieces: Piece[] = [];
    const emptyContinuations: Range[] = [];
    let continued = this.#add(firstLine, start.column - 1, pieces);
    let end = { line: this.#index, column: content.to + 1 };
    while (continued) {
      const line = this.#take();
      if (line === undefined) break;
      const text = trim(line);
      if (text.startsWith('#')) continue;
      if (text === '') {
        const at = { line: this.#index, column: 1 };
        emptyContinuations.push({ start: at, end: { line: at.line, column: line.length + 1 } });
        continue;
      }
      continued = this.#add(line, 0, pieces);
      end = { line: this.#index, column: contentOf(line).to + 1 };
    }
    const span = Span.of(pieces).trim();
    if (span.text === '') return undefined;
    return {
      span,
      start: span.range.start,
      end,
      comments,
      emptyContinuations: emptyContinuations.filter(({ start: { line } }) => line < end.line),
    };
  }

  /** Adds a line without its mark of continuation; says whether it has one. */
  #add(whole: string, from: number, pieces: Piece[]): boolean {
    const line = whole.replace(/\r+$/, '');
    const mark = this.#continuation.exec(line.slice(from));
    const to = mark === null ? line.length : line.length - (mark[1]?.length ?? 0);
    pieces.push({ text: line.slice(from, to), line: this.#index, column: from + 1 });
    return mark !== null;
  }

  #take(): string | undefined {
    const line = this.#source.lines[this.#index];
    if (line !== undefined) this.#index += 1;
    return line;
  }
}

function trim(line: string): string {
  const { from, to } = contentOf(line);
  return line.slice(from, to);
}
