/** Command lines as docker's: what a flag is, and how words become flags and arguments (GNU style, as Go's pflag reads it). */

import { ContainerError } from '../../container/errors.ts';

/** `boolean` takes no word; `optional` takes one only after `=`; `list` may be given several times. */
export type FlagKind = 'boolean' | 'string' | 'list' | 'int' | 'decimal' | 'bytes' | 'duration' | 'optional';

/** What completes a word. */
export type Completion = 'container' | 'running' | 'image' | 'network' | 'volume' | 'file' | 'command' | readonly string[];

export interface Flag {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly kind: FlagKind;
  readonly help: string;
  readonly completion?: Completion;
  /** What help calls the value, where it is not the kind. */
  readonly value?: string;
}

export interface CommandGrammar {
  /** Words: `run`, or `volume ls`. */
  readonly name: string;
  /** After the name. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly least: number;
  readonly most: number;
  /** Everything from the first argument on belongs to the container. */
  readonly stopsAtFirst?: boolean;
  readonly completion?: Completion;
  /** Other words for it: `container run`. */
  readonly aliases?: readonly string[];
}

export interface Arguments {
  readonly positionals: readonly string[];
  has(name: string): boolean;
  flag(name: string): boolean;
  /** The last value given. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

const TRUE_WORDS = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE_WORDS = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** @throws ContainerError flag, usage */
export function parseArguments(grammar: CommandGrammar, words: readonly string[]): Arguments {
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') {
      positionals.push(...queue.splice(0));
    } else if (word.startsWith('--')) takeLong(grammar, word, queue, given);
    else if (word.startsWith('-') && word !== '-') takeShort(grammar, word, queue, given);
    else {
      positionals.push(word);
      if (grammar.stopsAtFirst === true) positionals.push(...queue.splice(0));
    }
  }
  if (!given.has('help')) checkCount(grammar, positionals.length);
  return {
    positionals,
    has: (name) => given.has(name),
    flag: (name) => TRUE_WORDS.includes(given.get(name)?.at(-1) ?? 'false'),
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
  };
}

const HELP: Flag = { name: 'help', kind: 'boolean', help: 'Print usage' };

function takeLong(grammar: CommandGrammar, word: string, queue: string[], given: Map<string, string[]>): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const flag = [...grammar.flags, HELP].find((one) => one.name === name);
  if (flag === undefined) throw wrongFlag(grammar, `unknown flag: --${name}`);
  if (equals >= 0) {
    add(grammar, given, flag, word.slice(equals + 1));
  } else if (flag.kind === 'boolean' || flag.kind === 'optional') add(grammar, given, flag, flag.kind === 'boolean' ? 'true' : '');
  else {
    const value = queue.shift();
    if (value === undefined) throw wrongFlag(grammar, `flag needs an argument: --${name}`);
    add(grammar, given, flag, value);
  }
}

function takeShort(grammar: CommandGrammar, word: string, queue: string[], given: Map<string, string[]>): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at] ?? '';
    const flag = grammar.flags.find((one) => one.short === letter) ?? (letter === 'h' ? HELP : undefined);
    if (flag === undefined) throw wrongFlag(grammar, `unknown shorthand flag: '${letter}' in ${word}`);
    const rest = word.slice(at + 1);
    if (rest.startsWith('=')) {
      add(grammar, given, flag, rest.slice(1));
      return;
    }
    if (flag.kind === 'boolean') {
      add(grammar, given, flag, 'true');
      continue;
    }
    const value = rest === '' ? queue.shift() : rest;
    if (value === undefined) throw wrongFlag(grammar, `flag needs an argument: '${letter}' in ${word}`);
    add(grammar, given, flag, value);
    return;
  }
}

function add(grammar: CommandGrammar, given: Map<string, string[]>, flag: Flag, value: string): void {
  const problem = problemOf(flag, value);
  if (problem !== undefined) {
    const names = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
    throw wrongFlag(grammar, `invalid argument "${value}" for "${names}" flag: ${problem}`);
  }
  given.set(flag.name, [...(given.get(flag.name) ?? []), value]);
}

function problemOf(flag: Flag, value: string): string | undefined {
  switch (flag.kind) {
    case 'boolean':
      return [...TRUE_WORDS, ...FALSE_WORDS].includes(value) ? undefined : `strconv.ParseBool: parsing "${value}": invalid syntax`;
    case 'int':
      return /^[+-]?\d+$/.test(value) ? undefined : `strconv.ParseInt: parsing "${value}": invalid syntax`;
    case 'decimal':
      return /^\d+(\.\d*)?$|^\.\d+$/.test(value) ? undefined : `failed to parse ${value} as a rational number`;
    case 'bytes':
      return /^-1$|^\d+(\.\d+)?\s*[bkmgtp]?i?b?$/i.test(value) ? undefined : `invalid size: '${value}'`;
    case 'duration':
      return /^[+-]?((\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+|0)$/.test(value) ? undefined : `time: invalid duration "${value}"`;
    default:
      return undefined;
  }
}

function wrongFlag(grammar: CommandGrammar, message: string): ContainerError {
  return new ContainerError('flag', message, { exitCode: 125, hint: `See 'tsctl ${grammar.name} --help'.` });
}

function checkCount({ name, least, most, usage, summary }: CommandGrammar, count: number): void {
  if (count >= least && count <= most) return;
  const see = `See 'tsctl ${name} --help'.\n\nUsage:  tsctl ${name} ${usage}\n\n${summary}`;
  throw new ContainerError('usage', `"tsctl ${name}" ${expected(least, most)}.`, { hint: see });
}

function expected(least: number, most: number): string {
  const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`;
  if (most === 0) return 'accepts no arguments';
  if (least === most) return `requires exactly ${plural(least)}`;
  if (most === Number.POSITIVE_INFINITY) return `requires at least ${plural(least)}`;
  return least === 0 ? `requires at most ${plural(most)}` : `requires at least ${least} and at most ${plural(most)}`;
}
