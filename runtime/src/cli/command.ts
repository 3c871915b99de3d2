/** What a command is to the command line. */
import type { Tracer } from '../base/tracer.ts';
import type { Sys } from '../sys/sys.ts';
import { type Flags, type FlagTable, flagTable, type Values } from './args.ts';
import { GLOBAL_FLAGS, type Globals } from './globals.ts';
import type { Log } from './log.ts';

export interface Invocation<F extends Flags> {
  readonly sys: Sys;
  readonly log: Log;
  readonly globals: Globals;
  /** With `--trace`. */
  readonly trace: Tracer | undefined;
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

/** A command as the command line knows it. */
export interface DefinedCommand extends Command {
  /** Its own flags and the global ones. */
  readonly table: FlagTable<typeof GLOBAL_FLAGS & Flags>;
}

/** Hides a command's flag types, so that commands fit in one list: only the parser, which has the same flags, makes its invocations. */
export function defineCommand<F extends Flags>(command: Command<F>): DefinedCommand {
  return { ...(command as unknown as Command), table: flagTable({ ...GLOBAL_FLAGS, ...command.flags }) };
}
