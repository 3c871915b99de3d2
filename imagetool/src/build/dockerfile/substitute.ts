/**
 * Variables in a text: `$x`, `${x}`, and the forms of the shell with `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`.
 * Quotes and escapes go away; nothing is expanded in single quotes.
 */

import type { Escape } from './ast.ts';
import type { Variables } from './scope.ts';
import { withoutPrefix, withoutSuffix, withReplacement } from './shell-pattern.ts';
import { isSpace } from './span.ts';
import { SubstitutionError } from './substitution-error.ts';

export interface SubstituteOptions {
  readonly escape: Escape;
  /** The body of a heredoc: quotes are characters like others. */
  readonly quotesArePlain?: boolean;
  /** Is told every name asked for. */
  readonly onName?: (name: string, isSet: boolean) => void;
}

/** The text as one word. Throws SubstitutionError. */
export function substitute(text: string, variables: Variables, options: SubstituteOptions): string {
  return new Reader(text, variables, options)
    .readAll()
    .map((part) => part.text)
    .join('');
}

/** The text as words: blanks part them, also those that come out of variables, unless they are quoted. Throws SubstitutionError. */
export function substituteWords(text: string, variables: Variables, options: SubstituteOptions): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const { text: part, isQuoted } of new Reader(text, variables, options).readAll()) {
    if (isQuoted) word = (word ?? '') + part;
    else {
      for (const character of part) {
        if (!isSpace(character)) word = (word ?? '') + character;
        else if (word !== undefined) {
          words.push(word);
          word = undefined;
        }
      }
    }
  }
  return [...words, ...(word === undefined ? [] : [word])].filter((one) => one !== '');
}

interface Part {
  readonly text: string;
  readonly isQuoted: boolean;
}

const LETTER = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
/** Parameters that a shell has and a Dockerfile has not: never set. */
const SPECIAL_PARAMETERS = '@*#?-$!0';

class Reader {
  readonly #characters: readonly string[];
  readonly #variables: Variables;
  readonly #options: SubstituteOptions;
  #at = 0;

  constructor(text: string, variables: Variables, options: SubstituteOptions) {
    this.#characters = [...text];
    this.#variables = variables;
    this.#options = options;
  }

  readAll(): Part[] {
    return this.#readUntil('', { keepsEscapes: false });
  }

  /** Up to `stop` and over it. `keepsEscapes`: the text is a pattern, which has escapes of its own. */
  #readUntil(stop: string, rules: { readonly keepsEscapes: boolean }): Part[] {
    const { escape: token, quotesArePlain = false } = this.#options;
    const parts: Part[] = [];
    for (let character = this.#next(); character !== undefined; character = this.#next()) {
      if (character === stop) return parts;
      if (character === '$') parts.push({ text: this.#dollar(), isQuoted: false });
      else if (character === "'" && !quotesArePlain) parts.push({ text: this.#singleQuoted(), isQuoted: true });
      else if (character === '"' && !quotesArePlain) parts.push({ text: this.#doubleQuoted(rules), isQuoted: true });
      else if (character === token) {
        const escaped = this.#next() ?? '';
        parts.push({ text: rules.keepsEscapes ? character + escaped : escaped, isQuoted: true });
      } else parts.push({ text: character, isQuoted: false });
    }
    if (stop !== '') throw new SubstitutionError(`${JSON.stringify(stop)} is missing`);
    return parts;
  }

  #textUntil(stop: string, rules: { readonly keepsEscapes: boolean }): string {
    return this.#readUntil(stop, rules)
      .map((part) => part.text)
      .join('');
  }

  #singleQuoted(): string {
    let text = '';
    for (let character = this.#next(); character !== "'"; character = this.#next()) {
      if (character === undefined) throw new SubstitutionError('a single quote is never closed', QUOTE_HINT);
      text += character;
    }
    return text;
  }

  #doubleQuoted({ keepsEscapes }: { readonly keepsEscapes: boolean }): string {
    const { escape: token } = this.#options;
    let text = '';
    for (let character = this.#next(); character !== '"'; character = this.#next()) {
      if (character === undefined) throw new SubstitutionError('a double quote is never closed', QUOTE_HINT);
      if (character === '$') text += this.#dollar();
      else if (character === token) {
        const next = this.#peek();
        // Before everything else the escape character is a character.
        const escapes = next === '"' || next === '$' || next === token;
        if (keepsEscapes || (!escapes && next !== undefined)) text += character;
        if (escapes) text += this.#next() ?? '';
      } else text += character;
    }
    return text;
  }

  #dollar(): string {
    if (this.#peek() !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#get(name) ?? '');
    }
    this.#at += 1;
    const first = this.#peek();
    if (first === undefined) throw new SubstitutionError("'}' is missing after ${");
    if (first === '{' || first === '}' || first === ':') throw new SubstitutionError(`\${${first}: a name is missing`);
    const name = this.#name();
    const operator = this.#next();
    if (operator === '}') return this.#get(name) ?? '';
    if (operator === undefined) throw new SubstitutionError(`'}' is missing after \${${name}`);
    return this.#modified(name, operator);
  }

  #modified(name: string, operator: string): string {
    switch (operator) {
      case ':':
        return this.#byDefault(name, this.#next() ?? '', ':');
      case '-':
      case '+':
      case '?':
        return this.#byDefault(name, operator, '');
      case '#':
      case '%':
        return this.#trimmed(name, operator);
      case '/':
        return this.#replaced(name);
      default:
        throw unknownOperator(name, operator);
    }
  }

  /** `-`, `+`, `?`; after a colon an empty variable counts as not set. */
  #byDefault(name: string, operator: string, colon: ':' | ''): string {
    if (operator !== '-' && operator !== '+' && operator !== '?') throw unknownOperator(name, `${colon}${operator}`);
    const word = this.#textUntil('}', { keepsEscapes: false });
    const value = this.#get(name);
    const isSet = value !== undefined && (colon === '' || value !== '');
    if (operator === '+') return isSet ? word : '';
    if (isSet) return value;
    if (operator === '-') return word;
    const reason = value === undefined ? 'is not set, and must be' : 'is empty, and must not be';
    throw new SubstitutionError(`${name}${word === '' ? ` ${reason}` : `: ${word}`}`, `Set it with --build-arg ${name}=…, ARG or ENV.`);
  }

  #trimmed(name: string, operator: '#' | '%'): string {
    const text = this.#textUntil('}', { keepsEscapes: true });
    const value = this.#get(name) ?? '';
    const reach = text.startsWith(operator) ? 'longest' : 'shortest';
    const pattern = reach === 'longest' ? text.slice(1) : text;
    return operator === '#' ? withoutPrefix(value, pattern, reach) : withoutSuffix(value, pattern, reach);
  }

  #replaced(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at += 1;
    const pattern = this.#textUntil('/', { keepsEscapes: true });
    const replacement = this.#textUntil('}', { keepsEscapes: true });
    return withReplacement(this.#get(name) ?? '', pattern, replacement, { all });
  }

  #name(): string {
    let name = '';
    const first = this.#peek();
    if (first !== undefined && DIGIT.test(first)) {
      for (let digit = this.#peek(); digit !== undefined && DIGIT.test(digit); digit = this.#peek()) name += this.#next();
      return name;
    }
    if (first !== undefined && SPECIAL_PARAMETERS.includes(first)) return this.#next() ?? '';
    for (let letter = this.#peek(); letter !== undefined && LETTER.test(letter); letter = this.#peek()) name += this.#next();
    return name;
  }

  #get(name: string): string | undefined {
    const value = this.#variables.get(name);
    this.#options.onName?.(name, value !== undefined);
    return value;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string | undefined {
    const character = this.#characters[this.#at];
    this.#at += 1;
    return character;
  }
}

const QUOTE_HINT = 'Where the quote itself is meant, escape it; where paths have blanks, COPY, ADD and VOLUME take ["a b", "c"].';

function unknownOperator(name: string, operator: string): SubstitutionError {
  return new SubstitutionError(
    `\${${name}${operator}…}: there is no such form`,
    'After the name there may be :- - :+ + :? ? # ## % %% / and //.',
  );
}
