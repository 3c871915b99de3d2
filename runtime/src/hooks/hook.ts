/** A hook of config.json, and what is said of one that failed. */
import type { Hook, HookName } from '../../../specs/runtime/hooks.ts';
import { RuntimeError, SyscallError } from '../base/errors.ts';
import { errnoText } from '../linux/errno.ts';
import { type ExitStatus, shellStatus } from '../linux/processes.ts';

/** A hook and where it stands in config.json. */
export interface HookPlace {
  readonly name: HookName;
  readonly index: number;
  readonly hook: Hook;
}

/** The whole argv; without one, the path alone. */
export function hookArgv(hook: Hook): readonly string[] {
  return hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args;
}

/** The end of what the hook wrote, and how it ended. */
export interface HookEnd {
  /** Undefined when nobody could be asked. */
  readonly exit: ExitStatus | undefined;
  readonly timedOut: boolean;
  readonly output: string;
}

/** The beginning of the text is runc's: its users look for it. */
export function hookError(place: HookPlace, what: string, cause?: unknown): RuntimeError {
  const { name, index, hook } = place;
  return new RuntimeError('hook', `error running ${name} hook #${index}: ${hook.path}: ${what}`, {
    configPath: `hooks.${name}[${index}]`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The error of a hook that could not even be started. Other errors stay what they are. */
export function explainHookFailure(place: HookPlace, error: unknown): unknown {
  if (!(error instanceof SyscallError)) return error;
  const what = error.object === place.hook.path ? `cannot be executed: ${errnoText(error.errno)}` : error.message;
  return hookError(place, what, error);
}

function describeExit(exit: ExitStatus | undefined): string {
  if (exit === undefined) return 'its exit status is not known';
  return exit.signaled ? `killed by signal ${exit.status}` : `exit status ${shellStatus(exit)}`;
}

/** @throws RuntimeError 'hook' unless the hook ended by itself, in time, with status 0 */
export function checkHookEnd(place: HookPlace, end: HookEnd): void {
  if (!end.timedOut && end.exit !== undefined && !end.exit.signaled && end.exit.status === 0) return;
  const what = end.timedOut ? `hook ran past its timeout of ${place.hook.timeout} s and was killed` : describeExit(end.exit);
  const output = end.output.trim();
  throw hookError(place, output === '' ? what : `${what}, output: ${output}`);
}
