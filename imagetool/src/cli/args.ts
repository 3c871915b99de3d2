/** Command lines: options before and between positionals, `--name=value`, `--name value`, combined short flags, `--` for the rest. */

import { findNearestName } from '../../../specs/schema/nearest-name.ts';
import { ImageError } from '../base/errors.ts';

export interface OptionSpec {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called in help; none: the option is a flag. */
  readonly value?: string;
  readonly help: string;
}

export interface ParsedArgs {
  readonly positionals: readonly string[];
  /** After `--`; undefined where there is none. */
  readonly rest?: readonly string[];
  flag(name: string): boolean;
  /** The last value given. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

/** Throws ImageError `usage`. */
export function parseArgs(args: readonly string[], specs: readonly OptionSpec[]): ParsedArgs {
  const positionals: string[] = [];
  const given = new Map<string, string[]>();
  const queue = [...args];
  let rest: readonly string[] | undefined;
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      rest = queue.splice(0);
    } else if (arg.startsWith('--')) takeLong(arg, queue, specs, given);
    else if (arg.startsWith('-') && arg !== '-') takeShort(arg, queue, specs, given);
    else positionals.push(arg);
  }
  return {
    positionals,
    ...(rest === undefined ? {} : { rest }),
    flag: (name) => (given.get(name)?.at(-1) ?? 'false') !== 'false',
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
  };
}

function takeLong(arg: string, queue: string[], specs: readonly OptionSpec[], given: Map<string, string[]>): void {
  const equals = arg.indexOf('=');
  const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
  const spec = specs.find((one) => one.name === name);
  if (spec === undefined) throw unknownOption(name, specs);
  if (equals >= 0) add(given, name, arg.slice(equals + 1));
  else add(given, name, spec.value === undefined ? 'true' : next(queue, `--${name}`));
}

function takeShort(arg: string, queue: string[], specs: readonly OptionSpec[], given: Map<string, string[]>): void {
  for (let at = 1; at < arg.length; at += 1) {
    const spec = specs.find((one) => one.short === arg[at]);
    if (spec === undefined) throw usage(`unknown option -${arg[at]}`);
    if (spec.value === undefined) {
      add(given, spec.name, 'true');
      continue;
    }
    const glued = arg.slice(at + 1).replace(/^=/, '');
    add(given, spec.name, glued === '' ? next(queue, `-${arg[at]}`) : glued);
    return;
  }
}

function next(queue: string[], option: string): string {
  const value = queue.shift();
  if (value === undefined) throw usage(`option ${option} needs a value`);
  return value;
}

function add(given: Map<string, string[]>, name: string, value: string): void {
  given.set(name, [...(given.get(name) ?? []), value]);
}

/** For a long option that is not among those there are. @param name without its dashes */
export function unknownOption(name: string, specs: readonly OptionSpec[]): ImageError {
  const nearest = findNearestName(
    name,
    specs.map((one) => one.name),
  );
  return usage(`unknown option --${name}`, nearest === undefined ? undefined : `Did you mean --${nearest}?`);
}

export function usage(problem: string, hint?: string): ImageError {
  return new ImageError('usage', problem, hint === undefined ? {} : { hint });
}
