/** One container in this process: started, its output read, waited for and deleted, while the event loop goes on. */

import { closeSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../../../../runtime/src/linux/call.ts';
import { open } from '../../../../runtime/src/linux/files.ts';
import { O_CLOEXEC } from '../../../../runtime/src/linux/open-flags.ts';
import { type ExitStatus, pidfdKill, pidfdOpen, pollExit, SIGKILL, shellStatus } from '../../../../runtime/src/linux/processes.ts';
import { deleteContainer } from '../../../../runtime/src/operations/delete.ts';
import { run } from '../../../../runtime/src/operations/run.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { stringifyJson } from '../../../../specs/json/stringify-json.ts';
import type { Config } from '../../../../specs/runtime/config.ts';
import type { Store } from '../../store/store.ts';
import { runtimeContext } from './runtime.ts';
import type { StepSpace } from './workspace.ts';

export interface ContainerRun {
  readonly space: StepSpace;
  readonly config: Config;
  /** Standard output and error, in the order in which they were written. */
  readonly onOutput: (bytes: Buffer) => void;
  /** Kills the container. */
  readonly signal: AbortSignal;
}

const MAX_WAIT_MS = 20;

/** The exit code (128 + signal). Throws RuntimeError where it cannot be started, and the signal's reason; in any case nothing is left of it. */
export async function runContainer(store: Store, { space, config, onOutput, signal }: ContainerRun): Promise<number> {
  signal.throwIfAborted();
  const { sys } = store;
  writeFileSync(join(space.directory, 'config.json'), stringifyJson(config));
  const input = open(sys, '/dev/null');
  const [output, theirs] = pipe(sys);
  const context = runtimeContext(store, [input, theirs, theirs]);
  const { id } = space;
  try {
    run(context, { id, bundle: space.directory, detach: true });
  } catch (error) {
    closeSync(output);
    throw error;
  } finally {
    closeSync(input);
    closeSync(theirs);
  }
  try {
    const pidfd = pidfdOpen(sys, context.store.read(id).pid);
    const kill = (): boolean => pidfdKill(sys, pidfd, SIGKILL);
    signal.addEventListener('abort', kill);
    try {
      await drain(output, onOutput);
      const exit = await waitFor(sys, pidfd);
      signal.throwIfAborted();
      return shellStatus(exit);
    } finally {
      signal.removeEventListener('abort', kill);
      closeSync(pidfd);
    }
  } finally {
    deleteContainer(context, { id, force: true });
  }
}

function pipe(sys: Sys): [number, number] {
  const ends = new ArrayBuffer(8);
  call(sys, 'pipe2', 'a pipe', ends, O_CLOEXEC);
  const view = new DataView(ends);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

/** Ends with the container: with its first process all others of its pid namespace end, and nobody else has the pipe. */
async function drain(fd: number, onOutput: (bytes: Buffer) => void): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: false });
  for await (const chunk of socket) if (chunk instanceof Uint8Array) onOutput(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
}

/** A program may close its output long before it ends. */
async function waitFor(sys: Sys, pidfd: number): Promise<ExitStatus> {
  for (let waitMs = 0.2; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    const exit = pollExit(sys, pidfd);
    if (exit !== undefined) return exit;
    await sleep(waitMs);
  }
}
