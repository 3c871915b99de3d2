/** The runtime's library called in this process: what the shim and the image builder do. */
import { open } from '../src/linux/files.ts';
import { O_RDWR } from '../src/linux/open-flags.ts';
import { monotonicMs } from '../src/linux/poll.ts';
import { shellStatus, waitForExit } from '../src/linux/processes.ts';
import { type Context, lazyAgentImage } from '../src/operations/context.ts';
import { create } from '../src/operations/create.ts';
import { deleteContainer } from '../src/operations/delete.ts';
import { start } from '../src/operations/start.ts';
import { Store } from '../src/state/store.ts';
import type { Sys } from '../src/sys/sys.ts';

/** Returns a function that takes one container from create to delete, and returns the milliseconds that took. */
export function makeInProcess(sys: Sys, stateRoot: string, bundle: string): () => number {
  const nothing = open(sys, '/dev/null', { flags: O_RDWR });
  const context: Context = {
    sys,
    store: new Store(sys, stateRoot),
    caller: { stdio: [nothing, nothing, nothing], preservedFds: [], extraEnvironment: [] },
    warn: () => undefined,
    agentImage: lazyAgentImage(sys),
  };
  let serial = 0;
  return () => {
    const id = `bench-in-process-${process.pid}-${serial}`;
    serial++;
    const begin = monotonicMs(sys);
    const { record } = create(context, { id, bundle });
    start(context, id);
    const exit = waitForExit(sys, record.pid);
    deleteContainer(context, { id, force: false });
    const wallMs = monotonicMs(sys) - begin;
    if (exit === undefined || shellStatus(exit) !== 0) throw new Error(`the container ended with ${JSON.stringify(exit)}`);
    return wallMs;
  };
}
