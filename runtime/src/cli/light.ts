/**
 * The command line of an entry of the native command that holds one command alone, without help and advice. What it cannot answer is left to the
 * entry that holds everything, which reads the command line again; nothing has been done by then.
 */
import { tryCall } from '../linux/call.ts';
import type { Sys } from '../sys/sys.ts';
import { UsageError } from './args.ts';
import type { Command } from './command.ts';
import { checkOperands, execute, type Request, readRequest } from './dispatch.ts';

/** Runs the command and ends the process; returns when the command line does not simply ask for this command. */
export function runLight(sys: Sys, command: Command): void {
  const request = read(sys, command);
  if (request === undefined) return;
  exit(sys, execute(command, request.invocation));
}

function read(sys: Sys, command: Command): Request | undefined {
  try {
    const request = readRequest(sys, [command]);
    const { help, version } = request.invocation.globals;
    if (request.command === undefined || help || version) return undefined;
    checkOperands(command, request.invocation.operands);
    return request;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** Ends the process. */
export function exit(sys: Sys, status: number): void {
  tryCall(sys, 'exit_group', status);
}
