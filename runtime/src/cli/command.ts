/** What a command is to the command line. */
import type { Sys } from '../sys/sys.ts';
import type { Flags, Values } from './args.ts';
import type { Globals } from './globals.ts';
import type { Log } from './log.ts';

export interface Invocation<F extends Flags> {
  readonly sys: Sys;
  readonly log: Log;
  readonly globals: Globals;
  readonly flags: Values<F>;
  /** As many as `operands` allows. */
  readonly operands: readonly string[];
}

export interface Command<F extends Flags = Flags> {
  readonly name: string;
  readonly flags: F;
  /** Least and greatest number of operands. */
  readonly operands: readonly [number, number];
  /** What follows the first operand are another program's words, not our flags. */
  readonly stopAtOperand?: boolean;
  /** In front of every error's text. */
  readonly errorPrefix?: string;
  /** Exit status for an error. Default: 1. */
  readonly errorStatus?: number;
  /** Returns the exit status. */
  run(invocation: Invocation<F>): number;
}

/** Hides a command's flag types, so that commands fit in one list: only the parser, which has the same flags, makes its invocations. */
export function defineCommand<F extends Flags>(command: Command<F>): Command {
  return command as unknown as Command;
}
