/** Waiting for a running hook: it ends, or its time does. */
import type { Hook } from '../../../specs/runtime/hooks.ts';
import { tryCall } from '../linux/call.ts';
import { monotonicMs, POLLIN, poll } from '../linux/poll.ts';
import { pidfdKill, pidOfPidfd, SIGKILL } from '../linux/processes.ts';
import type { Sys } from '../sys/sys.ts';

/** What is kept of a hook's output, its end: enough to tell why it failed. */
const OUTPUT_BYTES = 4096;
/** How long a killed hook may take to be gone: one that the kernel cannot interrupt must not hold up the runtime. */
const KILL_GRACE_MS = 5000;

export interface RunningHook {
  /** Of the leader of the hook's process group. */
  readonly pidfd: number;
  /** Reading end of the pipe that is its standard output and error. */
  readonly output: number;
}

export interface Supervised {
  readonly timedOut: boolean;
  readonly output: string;
}

/** The last bytes of a stream. */
class Tail {
  readonly #sys: Sys;
  readonly #buffer = new ArrayBuffer(2 * OUTPUT_BYTES);
  #length = 0;
  #cut = false;

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  /** Reads what is there. Returns false at the stream's end. */
  readFrom(fd: number): boolean {
    if (this.#length > OUTPUT_BYTES) {
      const bytes = new Uint8Array(this.#buffer);
      bytes.copyWithin(0, this.#length - OUTPUT_BYTES, this.#length);
      this.#length = OUTPUT_BYTES;
      this.#cut = true;
    }
    const read = tryCall(this.#sys, 'read', fd, this.#sys.address(this.#buffer) + this.#length, this.#buffer.byteLength - this.#length);
    if (read > 0) this.#length += read;
    return read > 0;
  }

  text(): string {
    const bytes = Math.min(this.#length, OUTPUT_BYTES);
    const cut = this.#cut || bytes < this.#length;
    return `${cut ? '…' : ''}${this.#sys.decode(this.#buffer, this.#length - bytes, bytes)}`;
  }
}

/** Kills the hook and all that it started, unless that left its process group. */
function killGroup(sys: Sys, pidfd: number): void {
  // As long as the leader is not reaped, its group's number cannot be anybody else's.
  const pid = pidOfPidfd(sys, pidfd);
  if (pid !== undefined) tryCall(sys, 'kill', -pid, SIGKILL);
  pidfdKill(sys, pidfd, SIGKILL);
}

export function timeoutMs(hook: Hook): number | undefined {
  return hook.timeout === undefined ? undefined : hook.timeout * 1000;
}

/** A pipe holds at most so much when its writer ends; more comes from somebody in the background, who is not waited for. */
const LAST_READS = 16;

/**
 * Waits until the hook has ended; without `timeoutMs` as long as it takes. It is not reaped yet when this returns. What it leaves running in the
 * background is not waited for. The descriptors stay the caller's.
 */
export function supervise(sys: Sys, hook: RunningHook, timeoutMs: number | undefined): Supervised {
  const tail = new Tail(sys);
  let deadline = timeoutMs === undefined ? undefined : monotonicMs(sys) + timeoutMs;
  let timedOut = false;
  let open = true;
  let lastReads = 0;
  for (;;) {
    const entries = [{ fd: hook.pidfd, events: POLLIN }, ...(open ? [{ fd: hook.output, events: POLLIN }] : [])];
    const [ended = 0, written = 0] = poll(sys, entries, deadline === undefined ? undefined : deadline - monotonicMs(sys));
    if (ended !== 0 && (written === 0 || lastReads++ === LAST_READS)) return { timedOut, output: tail.text() };
    if (written !== 0) open = tail.readFrom(hook.output);
    if (deadline === undefined || ended !== 0 || monotonicMs(sys) < deadline) continue;
    if (timedOut) return { timedOut, output: tail.text() };
    timedOut = true;
    killGroup(sys, hook.pidfd);
    deadline = monotonicMs(sys) + KILL_GRACE_MS;
  }
}
