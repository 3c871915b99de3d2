/** One attached client: what the container says waits here until it is sent. */

import type { AttachOutput } from '../../../specs/tsctl/service.ts';
import type { Listener, OutputStream } from './streams.ts';

const FULL_BYTES = 1 << 20;

export class Attachment implements Listener {
  readonly session: number;
  readonly wants: ReadonlySet<OutputStream>;
  readonly hasInput: boolean;
  readonly #queue: AttachOutput[] = [];
  /** Called once, when nobody listens any more. */
  onEnd: () => void = () => undefined;
  #bytes = 0;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(session: number, wants: ReadonlySet<OutputStream>, hasInput: boolean) {
    this.session = session;
    this.wants = wants;
    this.hasInput = hasInput;
  }

  get isFull(): boolean {
    return this.#bytes > FULL_BYTES;
  }

  output(stream: OutputStream, chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#queue.push({ [stream]: chunk });
    this.#wake();
  }

  message(message: AttachOutput): void {
    this.#queue.push(message);
    this.#wake();
  }

  /** Nothing comes any more. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *messages(signal: AbortSignal): AsyncGenerator<AttachOutput> {
    signal.addEventListener('abort', () => this.end());
    try {
      for (;;) {
        const next = this.#queue.shift();
        if (signal.aborted || (next === undefined && this.#isOver)) return;
        if (next === undefined) await this.#more();
        else {
          this.#bytes -= (next.stdout?.length ?? 0) + (next.stderr?.length ?? 0);
          yield next;
        }
      }
    } finally {
      this.onEnd();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
