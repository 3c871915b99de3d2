/** The command line as far as the commands of a container's life go, when nothing about them needs to be explained. */
import type { Sys } from '../sys/sys.ts';
import { createCommand } from './commands/create.ts';
import { deleteCommand } from './commands/delete.ts';
import { execCommand } from './commands/exec.ts';
import { killCommand } from './commands/kill.ts';
import { runCommand } from './commands/run.ts';
import { startCommand } from './commands/start.ts';
import { stateCommand } from './commands/state.ts';
import { checkOperands, execute, type Request, readRequest } from './dispatch.ts';

const COMMANDS = [runCommand, createCommand, startCommand, stateCommand, killCommand, deleteCommand, execCommand];

/** Returns the exit status; undefined, and nothing was done, for another command, a question for help, a trace, or words that make no sense. */
export function answerQuickly(sys: Sys): number | undefined {
  const request = understood(sys);
  if (request?.command === undefined) return undefined;
  const { help, version, traceFile } = request.invocation.globals;
  if (help || version || traceFile !== undefined) return undefined;
  return execute(request.command, request.invocation);
}

function understood(sys: Sys): Request | undefined {
  try {
    const request = readRequest(sys, COMMANDS);
    if (request.command !== undefined) checkOperands(request.command, request.invocation.operands);
    return request;
  } catch {
    // It comes to the same mistake, and knows how to tell of it.
    return undefined;
  }
}
