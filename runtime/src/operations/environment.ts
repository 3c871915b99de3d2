/** The environment of the container's program. */
import type { AgentFds } from '../init/agent-fds.ts';
import type { InitProcess } from '../init/init-process.ts';
import { environmentValue } from '../plan/executable.ts';

/** HOME is filled in where the configuration leaves it out, as login(1) would. */
export function processEnvironment(_init: InitProcess, _fds: AgentFds, env: readonly string[], extra: readonly string[]): string[] {
  const home = environmentValue(env, 'HOME') === undefined ? ['HOME=/'] : [];
  return [...env, ...home, ...extra];
}
