/** What the command line gives to operations. */
import type { Context } from '../operations/context/context.ts';
import type { LightContext } from '../operations/context/light-context.ts';
import { Store } from '../state/store.ts';
import type { Flags } from './args.ts';
import type { Invocation } from './command.ts';
import { environmentVariable } from './paths.ts';
import { stateRoot } from './state-root.ts';

export type Basis = Pick<Invocation<Flags>, 'sys' | 'log' | 'globals' | 'trace'>;

export function lightContext({ sys, log, globals, trace }: Basis): LightContext {
  return { sys, store: new Store(sys, stateRoot(sys, globals.root)), warn: (message) => log.warning(message), trace };
}

/** For commands that start no agent: its bytes are not loaded. */
export function contextWithoutAgent(basis: Basis): Context {
  return {
    ...lightContext(basis),
    caller: { stdio: [0, 1, 2], preservedFds: [], extraEnvironment: [], notifySocket: environmentVariable(basis.sys, 'NOTIFY_SOCKET') },
    agentImage: () => {
      throw new Error('this command starts no agent');
    },
  };
}
