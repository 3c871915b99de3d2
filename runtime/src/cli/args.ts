/**
 * The flags of a command line, in all the forms in which callers write them: `--name value`, `--name=value`, `-n value`, `-n=value`, and with one
 * dash `-name` (go-runc writes `-no-subreaper`). A switch takes a value only by `=`. `--` ends the flags.
 */
import { RuntimeError } from '../base/errors.ts';

export type FlagKind = 'switch' | 'text' | 'texts' | 'number';

export interface Flag {
  /** switch: given or not. text: the last one given. texts: all, in order. number: decimal, at most `MAX_NUMBER`. */
  readonly kind: FlagKind;
  /** One letter. */
  readonly short?: string;
}

/** Flags by their names without dashes. */
export type Flags = Readonly<Record<string, Flag>>;

interface ValueTypes {
  readonly switch: boolean;
  readonly text: string | undefined;
  readonly texts: readonly string[];
  readonly number: number | undefined;
}

export type Values<F extends Flags> = { readonly [Name in keyof F]: ValueTypes[F[Name]['kind']] };

export interface Parsed<F extends Flags> {
  readonly values: Values<F>;
  /** Which flags were given. */
  readonly given: ReadonlySet<string>;
  /** All that are not flags; after the first one, with `stopAtOperand`, everything. */
  readonly operands: readonly string[];
}

/** A command line that makes no sense. */
export class UsageError extends RuntimeError {
  /** The unknown flag without its dashes, when that is what is wrong. */
  readonly unknownFlag: string | undefined;

  constructor(message: string, unknownFlag?: string) {
    super('usage', message);
    this.name = 'UsageError';
    this.unknownFlag = unknownFlag;
  }
}

const MAX_NUMBER = 0x7fffffff;

const TRUE = ['true', '1', 't', 'T', 'TRUE', 'True'];
const FALSE = ['false', '0', 'f', 'F', 'FALSE', 'False'];

function parseSwitch(name: string, text: string | undefined): boolean {
  if (text === undefined || TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new UsageError(`invalid value ${JSON.stringify(text)} for flag ${name}: it is true or false`);
}

/** A decimal number without sign, space or anything else: a caller that sends "3x" means something that we do not know. */
export function parseNumber(what: string, text: string, max: number = MAX_NUMBER): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= max) return value;
  throw new UsageError(`invalid value ${JSON.stringify(text)} for ${what}: it is a number from 0 to ${max}`);
}

type Value = boolean | string | readonly string[] | number | undefined;

/** Flags, ready to be looked up: made once, when the program is loaded. */
export interface FlagTable<F extends Flags> {
  readonly flags: F;
  /** Full names, by themselves and by their letters. */
  readonly names: ReadonlyMap<string, string>;
  readonly defaults: Readonly<Record<string, Value>>;
}

export function flagTable<F extends Flags>(flags: F): FlagTable<F> {
  const names = new Map<string, string>();
  const defaults: Record<string, Value> = {};
  for (const [name, { kind, short }] of Object.entries(flags)) {
    if (short !== undefined && !names.has(short)) names.set(short, name);
    defaults[name] = { switch: false, text: undefined, texts: [], number: undefined }[kind];
  }
  for (const name of Object.keys(flags)) names.set(name, name);
  return { flags, names, defaults };
}

class Parser {
  readonly #flags: Flags;
  readonly #names: ReadonlyMap<string, string>;
  readonly #values: Record<string, Value>;
  readonly given = new Set<string>();

  constructor({ flags, names, defaults }: FlagTable<Flags>) {
    this.#flags = flags;
    this.#names = names;
    this.#values = { ...defaults };
  }

  get values(): unknown {
    return this.#values;
  }

  /** Takes one flag, and its value from `rest` where it has none of its own. */
  take(word: string, rest: string[]): void {
    const body = word.slice(word.startsWith('--') ? 2 : 1);
    const equals = body.indexOf('=');
    const written = equals < 0 ? body : body.slice(0, equals);
    const inline = equals < 0 ? undefined : body.slice(equals + 1);
    const name = this.#names.get(written);
    if (name === undefined) {
      if (inline !== undefined || word.startsWith('--') || !this.#takeLetters(written)) {
        throw new UsageError(`unknown flag ${equals < 0 ? word : word.slice(0, word.indexOf('='))}`, written);
      }
      return;
    }
    const dashed = `--${name}`;
    if (this.#flags[name]?.kind === 'switch') {
      this.#set(name, parseSwitch(dashed, inline));
      return;
    }
    const value = inline ?? rest.shift();
    if (value === undefined) throw new UsageError(`flag ${dashed} needs a value`);
    this.#set(name, value);
  }

  /** `-it` for `-i -t`. */
  #takeLetters(letters: string): boolean {
    const names = [...letters].map((letter) => this.#names.get(letter));
    const switches = names.filter((name) => name !== undefined).filter((name) => this.#flags[name]?.kind === 'switch');
    if (switches.length < 2 || switches.length < names.length) return false;
    for (const name of switches) this.#set(name, true);
    return true;
  }

  #set(name: string, value: boolean | string): void {
    this.given.add(name);
    const before = this.#values[name];
    if (typeof value === 'string' && Array.isArray(before)) this.#values[name] = [...before, value];
    else if (typeof value === 'string' && this.#flags[name]?.kind === 'number') this.#values[name] = parseNumber(`flag --${name}`, value);
    else this.#values[name] = value;
  }
}

/**
 * Reads flags and operands. With `stopAtOperand` the first operand ends the flags, since what follows belongs to somebody else.
 * @throws UsageError
 */
export function parseArgs<F extends Flags>(
  words: readonly string[],
  table: FlagTable<F>,
  options: { readonly stopAtOperand: boolean },
): Parsed<F> {
  const parser = new Parser(table);
  const rest = [...words];
  const operands: string[] = [];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      operands.push(...rest);
      break;
    }
    if (word.startsWith('-') && word !== '-') {
      parser.take(word, rest);
      continue;
    }
    operands.push(word);
    if (!options.stopAtOperand) continue;
    operands.push(...rest);
    break;
  }
  return { values: parser.values as Values<F>, given: parser.given, operands };
}
