/** The words that callers look for around an error's own text (`runtime/README.md`, "The error contract"). */
import { type RuntimeError, SyscallError } from '../base/errors.ts';

/** Codes of errors of the container's init process, of which runc says where they came from. */
const OF_INIT: readonly string[] = ['agent-gone', 'agent-hangs', 'executable', 'wrong-namespace'];

/** `executes`: the command is exec, whose process is not the container's init. */
export function errorMessage(error: RuntimeError, { executes }: { readonly executes: boolean }): string {
  const ofProcess = OF_INIT.includes(error.code) || (error instanceof SyscallError && error.step !== undefined);
  const text = withPlace(error);
  if (!ofProcess && error.code !== 'hook') return text;
  const where = ofProcess && !executes ? 'error during container init: ' : '';
  return `unable to start container process: ${where}${text}`;
}

/** The place in config.json first, unless the text tells it, or is known to callers word by word. */
function withPlace({ code, configPath, message }: RuntimeError): string {
  if (configPath === undefined || code === 'executable' || message.includes(configPath)) return message;
  return `${configPath}: ${message}`;
}
