/** Running the hooks of config.json at their moments (config.md, "POSIX-platform Hooks"). */
import type { Hook, HookName } from '../../../../specs/runtime/hooks.ts';
import type { State } from '../../../../specs/runtime/state.ts';
import { RuntimeError } from '../../base/errors.ts';
import { type HookInit, runInContainer } from '../../hooks/container-hook.ts';
import type { HookPlace } from '../../hooks/hook.ts';
import { runInRuntime } from '../../hooks/runtime-hook.ts';
import type { Context } from '../context/context.ts';

/** What running hooks needs of the outside world. */
type HookContext = Pick<Context, 'sys' | 'trace'>;

/** Runs hooks in the runtime's namespaces, in order, in the bundle. @throws RuntimeError 'hook' for the first that fails */
export function runRuntimeHooks(context: HookContext, name: HookName, hooks: readonly Hook[] | undefined, state: State): void {
  for (const [index, hook] of (hooks ?? []).entries()) runRuntimeHook(context, { name, index, hook }, state);
}

function runRuntimeHook({ sys, trace }: HookContext, place: HookPlace, state: State): void {
  trace?.begin(`${place.name} hook`, { path: place.hook.path });
  try {
    runInRuntime(sys, place, JSON.stringify(state), state.bundle);
  } finally {
    trace?.end();
  }
}

/** As `runRuntimeHooks`, but all of them run, and what fails is a warning (runtime.md, "Lifecycle", step 13). */
export function runRuntimeHooksToTheEnd(
  context: Pick<Context, 'sys' | 'warn' | 'trace'>,
  name: HookName,
  hooks: readonly Hook[] | undefined,
  state: State,
): void {
  for (const [index, hook] of (hooks ?? []).entries()) {
    try {
      runRuntimeHook(context, { name, index, hook }, state);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      context.warn(error.message);
    }
  }
}

/**
 * Runs hooks in the namespaces of the container's init, in order. The pid in `state` is replaced by init's own as they see it.
 * @throws RuntimeError 'hook' for the first that fails
 */
export function runContainerHooks(
  { sys, trace }: HookContext,
  name: HookName,
  hooks: readonly Hook[] | undefined,
  state: State,
  init: HookInit,
): void {
  for (const [index, hook] of (hooks ?? []).entries()) {
    trace?.begin(`${name} hook`, { path: hook.path });
    try {
      runInContainer(sys, init, { name, index, hook }, (pid) => JSON.stringify({ ...state, pid }));
    } finally {
      trace?.end();
    }
  }
}

/** Hooks that say nothing of their environment get this one: startContainer hooks the process's own, as with runc. */
export function withEnvironment(hooks: readonly Hook[] | undefined, env: readonly string[]): Hook[] | undefined {
  return hooks?.map((hook) => (hook.env === undefined ? { ...hook, env: [...env] } : hook));
}
