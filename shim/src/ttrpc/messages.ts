/** A queue between one who is called with messages and one who asks for them. */
import type { StatusError } from '../base/status.ts';

export class Messages<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = [];
  #failure: StatusError | undefined;
  #wake: (() => void) | undefined;

  push(message: T): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  /** What is waiting is given out before. */
  fail(error: StatusError): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#failure !== undefined) {
        throw this.#failure;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
