/** The context of commands that start processes in containers. */
import { type Context, lazyAgentImage } from '../operations/context/context.ts';
import { preservedFds } from './caller.ts';
import { type Basis, lightContext } from './context.ts';
import { environmentVariable } from './paths.ts';

/** `preserve`: the number after `--preserve-fds`. */
export function agentContext(basis: Basis, preserve: number | undefined): Context {
  const passed = preservedFds(basis.sys, preserve ?? 0);
  return {
    ...lightContext(basis),
    caller: {
      stdio: [0, 1, 2],
      preservedFds: passed.fds,
      extraEnvironment: passed.environment,
      notifySocket: environmentVariable(basis.sys, 'NOTIFY_SOCKET'),
    },
    agentImage: lazyAgentImage(basis.sys),
  };
}
