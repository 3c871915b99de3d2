/** The words that callers look for around an error's own text (`runtime/README.md`, "The error contract"). */
import { type RuntimeError, SyscallError } from '../base/errors.ts';

/** Codes of errors of the container's init process, of which runc says where they came from. */
const OF_INIT: readonly string[] = ['agent-gone', 'agent-hangs', 'executable', 'wrong-namespace'];

export function errorMessage(error: RuntimeError): string {
  const ofInit = OF_INIT.includes(error.code) || (error instanceof SyscallError && error.step !== undefined);
  if (ofInit) return `unable to start container process: error during container init: ${error.message}`;
  if (error.code === 'hook') return `unable to start container process: ${error.message}`;
  return error.message;
}
