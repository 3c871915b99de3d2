/** A stream with two ends: chunks are written at one and read at the other, and who writes waits when a few of them lie there. */

const WAITING_CHUNKS = 8;

export class Pipe implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  #isEnded = false;
  #isDiscarding = false;
  #failure: { readonly error: unknown } | undefined;

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isDiscarding) return;
    this.#chunks.push(chunk);
    this.#wakeReader?.();
    if (this.#chunks.length < WAITING_CHUNKS) return;
    await new Promise<void>((resolve) => {
      this.#wakeWriter = resolve;
    });
  }

  end(): void {
    this.#isEnded = true;
    this.#wakeReader?.();
  }

  /** The reader gets the error in place of what is missing. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wakeReader?.();
  }

  /** Nobody reads any more: what is written is dropped. */
  discard(): void {
    this.#isDiscarding = true;
    this.#chunks.length = 0;
    this.#wakeWriter?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#wakeWriter?.();
        yield chunk;
      } else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
    }
  }
}
