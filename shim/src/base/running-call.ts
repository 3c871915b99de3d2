/** A call while it runs on a server: what its handler is told, and when it ends. */
import type { Call } from './service.ts';
import { StatusCode, StatusError } from './status.ts';

/** Timers hold 31 bits of milliseconds; a longer timeout, more than 24 days, is as good as none. */
const MOST_MILLISECONDS = 0x7fff_ffff;

export class RunningCall implements Call {
  readonly metadata: ReadonlyMap<string, string>;
  #controller: AbortController | undefined;
  #reason: StatusError | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param onDeadline called when `timeoutMs` have passed; 0 is no deadline */
  constructor(metadata: ReadonlyMap<string, string>, timeoutMs: number, onDeadline: () => void) {
    this.metadata = metadata;
    if (timeoutMs > 0 && timeoutMs <= MOST_MILLISECONDS) {
      this.#timer = setTimeout(() => {
        this.abort(new StatusError(StatusCode.deadlineExceeded, 'context deadline exceeded'));
        onDeadline();
      }, timeoutMs);
    }
  }

  /** Made only for the few handlers that ask. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) {
      this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: StatusError): void {
    this.end();
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** The answer is known: the deadline does not matter any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export function statusOf(error: unknown): { code: number; message: string } {
  if (error instanceof StatusError) {
    return { code: error.code, message: error.message };
  }
  return { code: StatusCode.unknown, message: error instanceof Error ? error.message : String(error) };
}
