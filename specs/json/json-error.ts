import { formatPath, type PathStep } from './json-path.ts';

/** A text that is not the JSON we read: not JSON at all, too large, too deep, or a key given twice. */
export class JsonError extends Error {
  /** What is wrong, without the place. */
  readonly reason: string;
  /** Counted from 1; columns are UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** The value that was being read, as `process.args[2]`; empty for the document itself. */
  readonly path: string;

  constructor(reason: string, text: string, offset: number, steps: readonly PathStep[] = []) {
    const before = text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.split('\n').length;
    const column = offset - lineStart + 1;
    const path = formatPath(steps);
    super(`line ${line}, column ${column}${path === '' ? '' : ` (${path})`}: ${reason}`);
    this.name = 'JsonError';
    this.reason = reason;
    this.line = line;
    this.column = column;
    this.path = path;
  }
}
