/** The end of a Node process, without what Node and V8 tear down before: a tenth of a command's time. All output has been written by then. */
import { tryCall } from '../linux/call.ts';
import type { Sys } from '../sys/sys.ts';

export function leaveNode(sys: Sys, status: number): void {
  // Whoever waits for the end, as the build does to keep the bytecode, is told of it.
  if (process.listenerCount('exit') === 0) tryCall(sys, 'exit_group', status);
  process.exit(status);
}
