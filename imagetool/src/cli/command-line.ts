/** The command line as a whole: which command, and which words are for it. */

import type { OptionSpec } from './args.ts';

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
