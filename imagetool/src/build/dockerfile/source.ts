/** The text of a Dockerfile and places in it. */

/** A place between two characters. Lines and columns count from 1; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From `start` up to, not including, `end`. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export interface Source {
  /** How messages call the file: its path as the user wrote it, `-` for the standard input. */
  readonly name: string;
  /** Without their ends of line; a byte order mark is not part of the first. */
  readonly lines: readonly string[];
}

/** Any text is a source: ends of line may be LF or CRLF, and a byte order mark is dropped. */
export function sourceOf(name: string, text: string): Source {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return { name, lines };
}

/** The text within a range, with its line breaks as LF. */
export function textIn(source: Source, { start, end }: Range): string {
  return source.lines
    .slice(start.line - 1, end.line)
    .map((line, index) =>
      line.slice(index === 0 ? start.column - 1 : 0, start.line + index === end.line ? end.column - 1 : Number.POSITIVE_INFINITY),
    )
    .join('\n');
}

/** Lines around a range with their numbers, and under each line of the range a marker; of a long range, its first lines. */
export function excerpt(source: Source, range: Range, context = 2): string {
  const { start, end } = range;
  const lastMarked = Math.min(end.column === 1 && end.line > start.line ? end.line - 1 : end.line, start.line + MOST_LINES - 1);
  const first = Math.max(1, start.line - context);
  const last = Math.min(source.lines.length, lastMarked + context);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const line = source.lines[number - 1] ?? '';
    rows.push(`${String(number).padStart(width + 2)} | ${line}`.trimEnd());
    if (number < start.line || number > lastMarked) continue;
    const from = number === start.line ? start.column - 1 : line.length - line.trimStart().length;
    const to = number === end.line ? end.column - 1 : line.length;
    // Tabs stay tabs, so that the marker stands under its text.
    const blank = line.slice(0, from).replace(/[^\t]/g, ' ');
    rows.push(`${' '.repeat(width + 2)} | ${blank}${'^'.repeat(Math.max(1, to - from))}`);
  }
  return rows.join('\n');
}

const MOST_LINES = 8;
