/** From the words of the command line to a command and its exit status; and the one place where errors end. */
import { RuntimeError } from '../base/errors.ts';
import type { Sys } from '../sys/sys.ts';
import { parseArgs, UsageError } from './args.ts';
import type { Command, DefinedCommand, Invocation } from './command.ts';
import { errorMessage } from './error-message.ts';
import { GLOBAL_TABLE, readGlobals } from './globals.ts';
import { Log } from './log.ts';

/** What a command line asks for. */
export interface Request {
  /** Undefined where no command is named. */
  readonly command: Command | undefined;
  readonly name: string | undefined;
  readonly invocation: Invocation<Record<never, never>>;
}

/** Reads the command line. @throws UsageError */
export function readRequest(sys: Sys, commands: readonly DefinedCommand[]): Request {
  const before = parseArgs(sys.argv.slice(1), GLOBAL_TABLE, { stopAtOperand: true });
  const [name, ...words] = before.operands;
  const command = commands.find((candidate) => candidate.name === name);
  const stopAtOperand = command === undefined || command.stopAtOperand === true;
  const own = command === undefined ? {} : command.flags;
  const { values, given, operands } = parseArgs(words, command === undefined ? GLOBAL_TABLE : command.table, { stopAtOperand });
  // What a command calls like a global flag is its own.
  const globalsGiven = new Set([...given].filter((flag) => !Object.hasOwn(own, flag)));
  const globals = readGlobals(before, { values, given: globalsGiven, operands });
  const log = new Log(sys, { file: globals.logFile, format: globals.logFormat, level: globals.logLevel });
  return { command, name, invocation: { sys, log, globals, trace: undefined, flags: values, operands } };
}

/** @throws UsageError for too few or too many operands */
export function checkOperands(command: Command, operands: readonly string[]): void {
  const [least, most] = command.operands;
  if (operands.length >= least && operands.length <= most) return;
  let wanted = least === most ? `exactly ${least}` : `${least} to ${most}`;
  if (most === Number.POSITIVE_INFINITY) wanted = `at least ${least}`;
  if (most === 0) wanted = 'no';
  throw new UsageError(`"${command.name}" takes ${wanted} argument${least === 1 && most === 1 ? '' : 's'}, not ${operands.length}`);
}

/** Runs the command and returns the exit status. Nothing is thrown. */
export function execute(command: Command, invocation: Invocation<Record<never, never>>): number {
  try {
    return command.run(invocation);
  } catch (error) {
    return fail(invocation.log, error, command);
  }
}

/** Tells of the error and returns the exit status. */
export function fail(log: Log, error: unknown, command?: Command): number {
  const message =
    error instanceof RuntimeError ? errorMessage(error, { executes: command?.name === 'exec' }) : `internal error: ${String(error)}`;
  const prefix = command?.errorPrefix === undefined ? '' : `${command.errorPrefix}: `;
  log.error(error, prefix + message);
  return command?.errorStatus ?? 1;
}
