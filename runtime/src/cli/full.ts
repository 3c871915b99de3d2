/** The command line with all that a person may need: help, the version, and advice for what was mistyped. */
import { findNearestName } from '../../../specs/schema/nearest-name.ts';
import { RuntimeError } from '../base/errors.ts';
import type { Sys } from '../sys/sys.ts';
import { parseArgs, UsageError } from './args.ts';
import type { DefinedCommand } from './command.ts';
import { checkOperands, execute, fail, type Request, readRequest } from './dispatch.ts';
import { GLOBAL_FLAGS, GLOBAL_TABLE } from './globals.ts';
import { commandHelp, overview } from './help.ts';
import { Log } from './log.ts';
import { print } from './output.ts';
import { executeTraced } from './traced.ts';
import { versionText } from './version.ts';

export function runFully(sys: Sys, commands: readonly DefinedCommand[]): number {
  let request: Request;
  try {
    request = readRequest(sys, commands);
  } catch (error) {
    return fail(logFor(sys), advise(error, sys, commands));
  }
  const { log } = request.invocation;
  try {
    return answer(sys, commands, request);
  } catch (error) {
    return fail(log, error);
  }
}

function answer(sys: Sys, commands: readonly DefinedCommand[], { command, name, invocation }: Request): number {
  const { help, version, traceFile } = invocation.globals;
  const topic = help ? name : undefined;
  if (name === 'help' || name === 'h') return printHelp(sys, commands, invocation.operands[0]);
  if (topic !== undefined) return printHelp(sys, commands, topic);
  if (version) return printText(sys, versionText());
  if (name === undefined) return printHelp(sys, commands, undefined);
  if (command === undefined) throw unknownCommand(name, commands);
  checkOperands(command, invocation.operands);
  return traceFile === undefined ? execute(command, invocation) : executeTraced(command, invocation, traceFile);
}

function printHelp(sys: Sys, commands: readonly DefinedCommand[], name: string | undefined): number {
  if (name === undefined) return printText(sys, overview(commands));
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw unknownCommand(name, commands);
  return printText(sys, commandHelp(command));
}

function printText(sys: Sys, text: string): number {
  print(sys, text);
  return 0;
}

function unknownCommand(name: string, commands: readonly DefinedCommand[]): RuntimeError {
  const names = commands.map((command) => command.name);
  const nearest = findNearestName(name, names);
  return new RuntimeError('usage', `unknown command ${JSON.stringify(name)}${nearest === undefined ? '' : `: did you mean ${nearest}?`}`, {
    hint: 'see tsrun --help',
  });
}

/** The log that the command line asks for, even though the command line as a whole makes no sense: callers read the error there. */
function logFor(sys: Sys): Log {
  const words = sys.argv.slice(1);
  for (let length = words.length; length > 0; length--) {
    try {
      const { values } = parseArgs(words.slice(0, length), GLOBAL_TABLE, { stopAtOperand: true });
      return new Log(sys, { file: values.log, format: values['log-format'] === 'json' ? 'json' : 'text', level: 'warning' });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
  return new Log(sys, { file: undefined, format: 'text', level: 'warning' });
}

/** Adds the nearest name and where to read more. */
function advise(error: unknown, sys: Sys, commands: readonly DefinedCommand[]): unknown {
  if (!(error instanceof UsageError)) return error;
  const command = commands.find(({ name }) => sys.argv.includes(name));
  const hint = `see tsrun ${command === undefined ? '' : `${command.name} `}--help`;
  if (error.unknownFlag === undefined) return new RuntimeError('usage', error.message, { hint, cause: error });
  const names = Object.keys({ ...GLOBAL_FLAGS, ...command?.flags });
  const nearest = findNearestName(error.unknownFlag, names);
  return new RuntimeError('usage', `${error.message}${nearest === undefined ? '' : `: did you mean --${nearest}?`}`, {
    hint,
    cause: error,
  });
}
