/** What every operation is given: nothing of the outside world is taken from anywhere else. */
import type { Tracer } from '../../base/tracer.ts';
import { openAgentImage } from '../../init/agent-process.ts';
import type { Store } from '../../state/store.ts';
import type { Sys } from '../../sys/sys.ts';

/** The one on whose behalf an operation runs: the command line, or a request that the shim serves. */
export interface Caller {
  /** Standard input, output and error for a container that is created, or a process that is executed. */
  readonly stdio: readonly [number, number, number];
  /** Descriptors for the container's program after those three, in order: 3, 4, … */
  readonly preservedFds: readonly number[];
  /** Added to the program's environment (LISTEN_FDS and its kin). */
  readonly extraEnvironment: readonly string[];
  /** Who wants to hear that the container is ready: NOTIFY_SOCKET (sd_notify(3)), a path or `@name`. */
  readonly notifySocket?: string | undefined;
}

export interface Context {
  readonly sys: Sys;
  readonly store: Store;
  readonly caller: Caller;
  /** Is told of the phases of the operation; a tracer is for one operation at a time. */
  readonly trace?: Tracer | undefined;
  /** Tells the user of something that does not stop the operation. */
  warn(message: string): void;
  /** The sealed init agent; opened once in a process. */
  agentImage(): number;
}

/** An agent image that is opened when first needed. */
export function lazyAgentImage(sys: Sys): () => number {
  let image = -1;
  return () => {
    if (image < 0) image = openAgentImage(sys);
    return image;
  };
}
