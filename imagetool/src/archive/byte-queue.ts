/** Chunks in, exact amounts out. Copies only what lies across a border between chunks. */
export class ByteQueue {
  readonly #chunks: Buffer[] = [];
  #at = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#length += chunk.length;
  }

  /** Exactly `count` bytes, or undefined while there are not that many. */
  take(count: number): Buffer | undefined {
    if (count > this.#length) return undefined;
    const first = this.takeUpTo(count);
    if (first.length === count) return first;
    const whole = Buffer.allocUnsafe(count);
    let filled = first.copy(whole);
    while (filled < count) filled += this.takeUpTo(count - filled).copy(whole, filled);
    return whole;
  }

  /** As many as lie together, at most `count`; empty only when nothing is there. */
  takeUpTo(count: number): Buffer {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return Buffer.alloc(0);
    const end = Math.min(chunk.length, this.#at + count);
    const part = chunk.subarray(this.#at, end);
    this.#length -= part.length;
    this.#at = end;
    if (end === chunk.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
    return part;
  }
}
