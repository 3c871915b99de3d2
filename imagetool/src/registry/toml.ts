/**
 * Reads the part of TOML 1.0 that registry configurations are written in: tables, arrays of tables, dotted and quoted keys, strings of all four
 * kinds, integers, booleans, arrays and inline tables. Dates and floats are kept as the text they are.
 */

import { ImageError } from '../base/errors.ts';

export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;
export interface TomlTable {
  [key: string]: TomlValue;
}

/** Throws ImageError `toml`, with the line. `what` names the document. */
export function parseToml(text: string, what: string): TomlTable {
  return new Parser(text, what).parse();
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b', '"': '"', '\\': '\\' };

export function isTomlTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value);
}

class Parser {
  readonly #text: string;
  readonly #what: string;
  #at = 0;

  constructor(text: string, what: string) {
    this.#text = text.replaceAll('\r\n', '\n');
    this.#what = what;
  }

  parse(): TomlTable {
    const root = newTable();
    let table = root;
    for (this.#skipLines(); this.#at < this.#text.length; this.#skipLines()) {
      if (this.#take('[[')) {
        table = this.#nextElement(root, this.#keyPath());
        this.#expect(']]');
      } else if (this.#take('[')) {
        table = this.#tableAt(root, this.#keyPath());
        this.#expect(']');
      } else this.#assignment(table);
      this.#endOfLine();
    }
    return root;
  }

  #assignment(table: TomlTable): void {
    const path = this.#keyPath();
    this.#expect('=');
    this.#skipSpace();
    const target = this.#tableAt(table, path.slice(0, -1));
    const name = path.at(-1) ?? '';
    if (Object.hasOwn(target, name)) throw this.#error(`${JSON.stringify(name)} is given twice`);
    target[name] = this.#value();
  }

  /** The table at a path, made where it is missing; of an array of tables, its last one. */
  #tableAt(from: TomlTable, path: readonly string[]): TomlTable {
    let table = from;
    for (const name of path) {
      const found = Object.hasOwn(table, name) ? table[name] : undefined;
      const next = Array.isArray(found) ? (found.at(-1) as TomlValue | undefined) : found;
      if (next !== undefined && !isTomlTable(next)) throw this.#error(`${JSON.stringify(name)} is no table`);
      const made = next ?? newTable();
      if (next === undefined) table[name] = made;
      table = made;
    }
    return table;
  }

  #nextElement(root: TomlTable, path: readonly string[]): TomlTable {
    const parent = this.#tableAt(root, path.slice(0, -1));
    const name = path.at(-1) ?? '';
    const before = Object.hasOwn(parent, name) ? parent[name] : [];
    if (!Array.isArray(before)) throw this.#error(`${JSON.stringify(name)} is no array of tables`);
    const element = newTable();
    parent[name] = [...(before as readonly TomlValue[]), element];
    return element;
  }

  #keyPath(): string[] {
    const path: string[] = [];
    do {
      this.#skipSpace();
      path.push(this.#key());
      this.#skipSpace();
    } while (this.#take('.'));
    return path;
  }

  #key(): string {
    if (this.#peek() === '"' || this.#peek() === "'") return this.#string();
    const bare = this.#match(/[A-Za-z0-9_-]+/y);
    if (bare === undefined) throw this.#error('a key is missing');
    return bare;
  }

  #value(): TomlValue {
    const next = this.#peek();
    if (next === '"' || next === "'") return this.#string();
    if (this.#take('[')) return this.#array();
    if (this.#take('{')) return this.#inlineTable();
    const word = this.#match(/[^\s,\]}#]+/y);
    if (word === undefined) throw this.#error('a value is missing');
    if (word === 'true' || word === 'false') return word === 'true';
    return /^[+-]?\d[\d_]*$/.test(word) ? Number(word.replaceAll('_', '')) : word;
  }

  #array(): TomlValue[] {
    const values: TomlValue[] = [];
    for (this.#skipLines(); !this.#take(']'); this.#skipLines()) {
      values.push(this.#value());
      this.#skipLines();
      if (!this.#take(',') && this.#peek() !== ']') throw this.#error('an array is not closed');
    }
    return values;
  }

  #inlineTable(): TomlTable {
    const table = newTable();
    for (this.#skipSpace(); !this.#take('}'); this.#skipSpace()) {
      this.#assignment(table);
      this.#skipSpace();
      if (!this.#take(',') && this.#peek() !== '}') throw this.#error('a table is not closed');
    }
    return table;
  }

  #string(): string {
    const quote = this.#peek();
    const isLong = this.#take(quote.repeat(3));
    if (!isLong) this.#at += 1;
    // The line break after the opening quotes is not part of the text.
    if (isLong) this.#take('\n');
    const end = isLong ? quote.repeat(3) : quote;
    let text = '';
    while (!this.#take(end)) {
      const character = this.#text[this.#at];
      if (character === undefined || (character === '\n' && !isLong)) throw this.#error('a string is not closed');
      this.#at += 1;
      text += quote === '"' && character === '\\' ? this.#escape() : character;
    }
    return text;
  }

  #escape(): string {
    if (this.#match(/[ \t]*\n\s*/y) !== undefined) return '';
    const code = this.#match(/u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}/y);
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    const escaped = ESCAPES[this.#peek()];
    if (escaped === undefined) throw this.#error(`\\${this.#peek()} is no escape`);
    this.#at += 1;
    return escaped;
  }

  #endOfLine(): void {
    this.#match(/[ \t]*(?:#[^\n]*)?/y);
    if (this.#at < this.#text.length && this.#peek() !== '\n') throw this.#error(`unexpected ${JSON.stringify(this.#peek())}`);
  }

  #skipSpace(): void {
    this.#match(/[ \t]*/y);
  }

  #skipLines(): void {
    this.#match(/(?:\s|#[^\n]*)*/y);
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #expect(word: string): void {
    this.#skipSpace();
    if (!this.#take(word)) throw this.#error(`${JSON.stringify(word)} is missing`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #error(problem: string): ImageError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new ImageError('toml', `${this.#what}, line ${line}: ${problem}`);
  }
}

/** Without a prototype: `__proto__` is a key like any other. */
function newTable(): TomlTable {
  return Object.create(null) as TomlTable;
}
