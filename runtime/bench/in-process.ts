/** The runtime's library called in this process: what the shim and the image builder do. */
import { open } from '../src/linux/files.ts';
import { O_RDWR } from '../src/linux/open-flags.ts';
import { monotonicMs } from '../src/linux/poll.ts';
import { shellStatus, waitForExit } from '../src/linux/processes.ts';
import { type Context, lazyAgentImage } from '../src/operations/context/context.ts';
import { create } from '../src/operations/create.ts';
import { deleteContainer } from '../src/operations/delete.ts';
import { startExec } from '../src/operations/exec.ts';
import { start } from '../src/operations/start.ts';
import { Store } from '../src/state/store.ts';
import type { Sys } from '../src/sys/sys.ts';

/** A container that runs until `end`. Both return milliseconds. */
export interface Running {
  /** `true` in it, until that has ended. */
  exec(): number;
  end(): void;
}

export class InProcess {
  readonly #context: Context;
  readonly #trueBundle: string;
  #serial = 0;

  constructor(sys: Sys, stateRoot: string, trueBundle: string) {
    const nothing = open(sys, '/dev/null', { flags: O_RDWR });
    this.#trueBundle = trueBundle;
    this.#context = {
      sys,
      store: new Store(sys, stateRoot),
      caller: { stdio: [nothing, nothing, nothing], preservedFds: [], extraEnvironment: [] },
      warn: () => undefined,
      agentImage: lazyAgentImage(sys),
    };
  }

  #id(): string {
    return `bench-in-process-${process.pid}-${this.#serial++}`;
  }

  /** One container from create to delete; returns milliseconds. */
  run(): number {
    const { sys } = this.#context;
    const id = this.#id();
    const begin = monotonicMs(sys);
    const { record } = create(this.#context, { id, bundle: this.#trueBundle });
    start(this.#context, id);
    const exit = waitForExit(sys, record.pid);
    deleteContainer(this.#context, { id, force: false });
    const wallMs = monotonicMs(sys) - begin;
    expectSuccess(exit);
    return wallMs;
  }

  /** Starts a container that stays. */
  running(bundle: string): Running {
    const context = this.#context;
    const { sys } = context;
    const id = this.#id();
    const { record } = create(context, { id, bundle });
    start(context, id);
    return {
      exec: () => {
        const begin = monotonicMs(sys);
        const exit = waitForExit(sys, startExec(context, { id, args: ['/bin/true'] }));
        const wallMs = monotonicMs(sys) - begin;
        expectSuccess(exit);
        return wallMs;
      },
      end: () => {
        deleteContainer(context, { id, force: true });
        waitForExit(sys, record.pid);
      },
    };
  }
}

function expectSuccess(exit: ReturnType<typeof waitForExit>): void {
  if (exit === undefined || shellStatus(exit) !== 0) throw new Error(`the container ended with ${JSON.stringify(exit)}`);
}
