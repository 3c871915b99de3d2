/** The runtime's library for containers of builds. */

import { join } from 'node:path';
import { type Context, lazyAgentImage } from '../../../../runtime/src/operations/context/context.ts';
import { deleteContainer } from '../../../../runtime/src/operations/delete.ts';
import { Store as ContainerStore } from '../../../../runtime/src/state/store.ts';
import type { Store } from '../../store/store.ts';

/** What the runtime needs to know to act on containers of builds; `stdio` are theirs. */
export function runtimeContext(
  store: Store,
  stdio: readonly [number, number, number],
  warn: (message: string) => void = () => undefined,
): Context {
  return {
    sys: store.sys,
    store: new ContainerStore(store.sys, join(store.layout.build, 'containers')),
    caller: { stdio, preservedFds: [], extraEnvironment: [] },
    warn,
    agentImage: agentImageOf(store),
  };
}

const agentImages = new WeakMap<object, () => number>();

/** Opened once in a process. */
function agentImageOf({ sys }: Store): () => number {
  const known = agentImages.get(sys) ?? lazyAgentImage(sys);
  agentImages.set(sys, known);
  return known;
}

/** Ends and removes them. */
export function removeContainers(store: Store, ids: readonly string[]): void {
  for (const id of ids) deleteContainer(runtimeContext(store, [0, 1, 2]), { id, force: true });
}
