import { JsonError } from './json-error.ts';
import type { PathStep } from './json-path.ts';
import type { JsonObject, JsonValue } from './json-value.ts';

const WHITESPACE = /[ \t\n\r]*/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;
const FRACTION_AND_EXPONENT = /(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these unescaped.
const PLAIN_CHARACTERS = /[^"\\\0-\x1f]*/y;
const WORD = /[A-Za-z0-9_.+-]*/y;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const LITERALS: Readonly<Record<string, JsonValue>> = { true: true, false: false, null: null };

/** Reads one JSON text with full care; see `parseJson`, which calls it for the texts that need it. */
export class JsonReader {
  readonly #text: string;
  readonly #maxDepth: number;
  /** The way from the document to the value being read. */
  readonly #steps: PathStep[] = [];
  #offset = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  readDocument(): JsonValue {
    const value = this.#readValue();
    this.#nextCode();
    if (this.#offset < this.#text.length) throw this.#error(`${this.#found()} after the end of the document`);
    return value;
  }

  #readValue(): JsonValue {
    switch (this.#nextCode()) {
      case QUOTE:
        return this.#readString();
      case OPEN_BRACE:
        return this.#readObject();
      case OPEN_BRACKET:
        return this.#readArray();
      default:
        return this.#readScalar();
    }
  }

  #readObject(): JsonObject {
    const object: JsonObject = Object.create(null);
    this.#enter();
    if (!this.#skip(CLOSE_BRACE)) {
      do {
        if (this.#nextCode() !== QUOTE) throw this.#error(`expected a key in quotation marks, found ${this.#found()}`);
        const keyOffset = this.#offset;
        const key = this.#readString();
        this.#steps.push(key);
        if (key in object) throw this.#error(`the key ${JSON.stringify(key)} is given twice`, keyOffset);
        if (!this.#skip(COLON)) throw this.#error(`expected ":" after the key, found ${this.#found()}`);
        object[key] = this.#readValue();
        this.#steps.pop();
      } while (this.#skip(COMMA));
      if (!this.#skip(CLOSE_BRACE)) throw this.#error(`expected "," or "}", found ${this.#found()}`);
    }
    return object;
  }

  #readArray(): JsonValue[] {
    const array: JsonValue[] = [];
    this.#enter();
    if (!this.#skip(CLOSE_BRACKET)) {
      do {
        this.#steps.push(array.length);
        array.push(this.#readValue());
        this.#steps.pop();
      } while (this.#skip(COMMA));
      if (!this.#skip(CLOSE_BRACKET)) throw this.#error(`expected "," or "]", found ${this.#found()}`);
    }
    return array;
  }

  /** Steps over an opening bracket. */
  #enter(): void {
    if (this.#steps.length >= this.#maxDepth) throw this.#error(`nested deeper than ${this.#maxDepth} levels`);
    this.#offset++;
  }

  #readScalar(): JsonValue {
    const start = this.#offset;
    const word = this.#read(WORD);
    if (word === '') throw this.#error(`expected a value, found ${this.#found()}`);
    if (Object.hasOwn(LITERALS, word)) return LITERALS[word] ?? null;
    this.#offset = start;
    const integer = this.#read(INTEGER);
    const rest = this.#read(FRACTION_AND_EXPONENT);
    if (integer === '' || integer + rest !== word) throw this.#error(`${JSON.stringify(word)} is not a JSON value`, start);
    const number = Number(word);
    if (rest === '') return Number.isSafeInteger(number) ? number : BigInt(word);
    if (!Number.isFinite(number)) throw this.#error('the number is too large', start);
    return number;
  }

  #readString(): string {
    this.#offset++;
    let string = '';
    for (;;) {
      const plain = this.#read(PLAIN_CHARACTERS);
      const code = this.#text.charCodeAt(this.#offset);
      if (code === QUOTE) {
        this.#offset++;
        return string === '' ? plain : string + plain;
      }
      if (code !== BACKSLASH) {
        throw this.#error(Number.isNaN(code) ? 'the string does not end' : `${this.#found()} within a string: write it as an escape`);
      }
      this.#offset++;
      string += plain + this.#readEscape();
    }
  }

  /** What follows a backslash. */
  #readEscape(): string {
    const letter = this.#text[this.#offset] ?? '';
    if (letter === 'u') return this.#readUnicodeEscape();
    if (!Object.hasOwn(ESCAPES, letter)) throw this.#error(`there is no escape ${JSON.stringify(`\\${letter}`)}`, this.#offset - 1);
    this.#offset++;
    return ESCAPES[letter] ?? '';
  }

  #readUnicodeEscape(): string {
    const start = this.#offset - 1;
    const first = this.#readCodeUnit(start);
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    const isPair = first < 0xdc00 && this.#text.startsWith('\\u', this.#offset);
    if (isPair) this.#offset++;
    const second = isPair ? this.#readCodeUnit(start) : 0;
    // Half a pair is no character: it could not be written in UTF-8, where paths and arguments go.
    if (second < 0xdc00 || second > 0xdfff) throw this.#error('an escape that is only half of a surrogate pair', start);
    return String.fromCharCode(first, second);
  }

  /** The four digits after the `u` that the reader stands on. */
  #readCodeUnit(start: number): number {
    const digits = this.#text.slice(this.#offset + 1, this.#offset + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('"\\u" needs four hexadecimal digits', start);
    this.#offset += 5;
    return Number.parseInt(digits, 16);
  }

  /** Steps over whitespace and then over `punctuation`, if it is there. */
  #skip(punctuation: number): boolean {
    const isThere = this.#nextCode() === punctuation;
    if (isThere) this.#offset++;
    return isThere;
  }

  /** Steps over whitespace; the code of the character after it, NaN at the end. */
  #nextCode(): number {
    const code = this.#text.charCodeAt(this.#offset);
    if (code > SPACE) return code;
    this.#read(WHITESPACE);
    return this.#text.charCodeAt(this.#offset);
  }

  /** Steps over what the sticky `pattern` matches here, and returns it. */
  #read(pattern: RegExp): string {
    const start = this.#offset;
    pattern.lastIndex = start;
    if (!pattern.test(this.#text)) return '';
    this.#offset = pattern.lastIndex;
    return this.#text.slice(start, this.#offset);
  }

  /** What stands here, for a message. */
  #found(): string {
    const codePoint = this.#text.codePointAt(this.#offset);
    return codePoint === undefined ? 'the end of the text' : JSON.stringify(String.fromCodePoint(codePoint));
  }

  #error(reason: string, offset = this.#offset): JsonError {
    return new JsonError(reason, this.#text, offset, this.#steps);
  }
}
