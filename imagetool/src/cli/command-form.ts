import type { OptionSpec } from './args.ts';

/** What can be said to a command. */
export interface CommandForm {
  readonly name: string;
  /** After the name: `[OPTIONS] IMAGE`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Least and most number of positionals. */
  readonly positionals: readonly [number, number];
}
