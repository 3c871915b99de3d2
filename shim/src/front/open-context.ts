/** Makes the context of a command. */

import { defaultRoot } from '../../../imagetool/src/store/default-root.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { type Places, placesAt } from '../container/places.ts';
import type { Context } from './context.ts';
import type { Shim } from './shim.ts';

export interface OpenedContext {
  readonly context: Context;
  /** Connections that were opened. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function openContext(given: Places | undefined, env: Environment): OpenedContext {
  const places = given ?? placesAt(defaultRoot({ uid: process.geteuid?.() ?? 0, env }));
  const closers: (() => void | Promise<void>)[] = [];
  const sys = once(loadSys);
  const context: Context = {
    env,
    places,
    print: (line) => {
      process.stdout.write(`${line}\n`);
    },
    note: (line) => {
      process.stderr.write(`${line}\n`);
    },
    write: (text) => {
      process.stdout.write(text);
    },
    sys,
    store: once(async () => {
      const { openStore } = await import('../../../imagetool/src/store/store.ts');
      return openStore(places.root, await sys());
    }),
    shim: once(async (): Promise<Shim> => {
      const { openShim } = await import('./shim.ts');
      const shim = await openShim(places, env);
      closers.push(() => shim.close());
      return shim;
    }),
    images: once(async () => {
      const { makeContext, Network } = await import('../../../imagetool/src/cli/context.ts');
      const network = new Network(
        [],
        (env['TSCTL_INSECURE_REGISTRIES'] ?? '').split(',').filter((host) => host !== ''),
      );
      closers.push(() => network.close());
      return makeContext(network, { root: places.root, progress: 'auto' });
    }),
  };
  return {
    context,
    close: async () => {
      for (const close of closers) await close();
    },
  };
}

async function loadSys(): Promise<Sys> {
  const { createNodeSys } = await import('../../../runtime/src/sys/node.ts');
  return createNodeSys();
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
