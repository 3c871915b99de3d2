/** A hook in the runtime's own namespaces. */
import { close } from '../linux/files.ts';
import { pollExit, withPidfd } from '../linux/processes.ts';
import { spawn } from '../linux/spawn.ts';
import type { Sys } from '../sys/sys.ts';
import { checkHookEnd, explainHookFailure, type HookPlace, hookArgv } from './hook.ts';
import { makePipe, stateFile } from './streams.ts';
import { supervise, timeoutMs } from './supervise.ts';

/**
 * Runs the hook and waits for its end.
 *
 * @param state JSON for its standard input
 * @param cwd its working directory
 * @throws RuntimeError 'hook' when it could not be started, failed, or ran past its timeout
 */
export function runInRuntime(sys: Sys, place: HookPlace, state: string, cwd: string): void {
  const { output, pid } = start(sys, place, state, cwd);
  try {
    // The hook is our child and not reaped, so the pid is still its.
    const end = withPidfd(sys, pid, (pidfd) => {
      const supervised = supervise(sys, { pidfd, output }, timeoutMs(place.hook));
      return { ...supervised, exit: pollExit(sys, pidfd) };
    });
    checkHookEnd(place, end);
  } finally {
    close(sys, output);
  }
}

function start(sys: Sys, place: HookPlace, state: string, cwd: string): { readonly output: number; readonly pid: number } {
  const { hook } = place;
  const input = stateFile(sys, state);
  const [output, theirs] = makePipe(sys);
  try {
    const pid = spawn(sys, {
      path: hook.path,
      argv: hookArgv(hook),
      environ: hook.env ?? [],
      fds: [
        [input, 0],
        [theirs, 1],
        [theirs, 2],
      ],
      cwd,
      newProcessGroup: true,
      closeOthers: true,
    });
    return { output, pid };
  } catch (error) {
    close(sys, output);
    throw explainHookFailure(place, error);
  } finally {
    close(sys, input);
    close(sys, theirs);
  }
}
