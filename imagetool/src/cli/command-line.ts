/** The command line as a whole: which command, and which words are for it. */

import { findNearestName } from '../../../specs/schema/nearest-name.ts';
import type { ImageError } from '../base/errors.ts';
import { type OptionSpec, unknownOption, usage } from './args.ts';

/** Of all commands. */
export const GLOBAL: readonly OptionSpec[] = [
  { name: 'root', value: 'DIR', help: 'the image store (default /var/lib/tsrun, or $XDG_DATA_HOME/tsrun)' },
  { name: 'insecure', value: 'HOST', help: 'allow plain HTTP and unknown certificates for this registry; may be repeated' },
  { name: 'cert-dir', value: 'DIR', help: 'more certificates, as in /etc/docker/certs.d' },
  { name: 'progress', value: 'auto|plain|json', help: 'how transfers and builds are shown; builds also know tty' },
  { name: 'help', short: 'h', help: 'print help' },
];

export interface CommandLine {
  /** The command's name, or undefined where there is none. */
  readonly word: string | undefined;
  /** All other words: its options and positionals, and the options of all commands. */
  readonly words: readonly string[];
}

/** @param argv without the name of the program */
export function splitCommandLine(argv: readonly string[]): CommandLine {
  const [first, ...others] = argv;
  if (others.length === 0 && (first === '--version' || first === '-v')) return { word: 'version', words: [] };
  // Options of all commands may also stand before the command's name, as docker's and skopeo's do.
  const at = argv.findIndex((arg, index) => !arg.startsWith('-') && !takesValue(argv[index - 1]));
  return at < 0 ? { word: undefined, words: argv } : { word: argv[at], words: [...argv.slice(0, at), ...argv.slice(at + 1)] };
}

function takesValue(arg: string | undefined): boolean {
  return arg !== undefined && GLOBAL.some((option) => option.value !== undefined && arg === `--${option.name}`);
}

/**
 * Why there is no such command. Where an option that not all commands know stands before the word, the word may be that option's value; else the
 * nearest name is shown.
 */
export function unknownCommand(argv: readonly string[], word: string, commands: readonly string[]): ImageError {
  const before = argv.slice(0, argv.indexOf(word));
  for (const arg of before) {
    const [, name] = /^--([^=]+)/.exec(arg) ?? [];
    if (name !== undefined && !GLOBAL.some((option) => option.name === name)) return unknownOption(name, GLOBAL);
    if (/^-[^-]/.test(arg) && !GLOBAL.some((option) => `-${option.short}` === arg)) return usage(`unknown option ${arg}`);
  }
  const nearest = findNearestName(word, commands);
  const hint = nearest === undefined ? undefined : `Did you mean ${nearest}?`;
  return usage(`there is no command ${JSON.stringify(word)}; tsimg help lists them`, hint);
}
