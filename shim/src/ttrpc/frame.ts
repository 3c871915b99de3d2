/** The frames of ttrpc: a header of ten bytes and what it announces (PROTOCOL.md of containerd/ttrpc). */

export const HEADER_BYTES = 10;
/** The most that a frame may hold behind its header. */
export const MAX_FRAME_BYTES = 4 << 20;

export const FrameType = { request: 1, response: 2, data: 3 } as const;
export const FrameFlag = { remoteClosed: 1, remoteOpen: 2, noData: 4 } as const;

export interface FrameHeader {
  /** Odd, chosen by the client, and greater than all before it on the connection. */
  readonly stream: number;
  /** One of FrameType; others are to be ignored. */
  readonly type: number;
  readonly flags: number;
}

export interface Frame extends FrameHeader {
  readonly payload: Uint8Array;
}

/** A frame of which the payload is more than MAX_FRAME_BYTES, and was thrown away. */
export interface OversizedFrame extends FrameHeader {
  readonly oversized: number;
}

export function encodeFrame({ stream, type, flags }: FrameHeader, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(stream, 4);
  frame[8] = type;
  frame[9] = flags;
  frame.set(payload, HEADER_BYTES);
  return frame;
}

interface Unfinished {
  readonly header: FrameHeader;
  readonly payload: Buffer;
  /** How much of the payload has come. */
  filled: number;
}

/** Cuts a stream of bytes into frames. It holds at most one unfinished frame, however small the pieces that it comes in. */
export class FrameReader {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #unfinished: Unfinished | undefined;
  /** Bytes of an oversized frame that are still to come. */
  #skip = 0;

  /** Whether it stands between two frames. When the stream ends anywhere else, the peer has broken off. */
  get idle(): boolean {
    return this.#headerBytes === 0 && this.#unfinished === undefined && this.#skip === 0;
  }

  /** The frames that `chunk` completes. A payload may share memory with the chunk, which must not be changed afterwards. */
  *push(chunk: Buffer): Generator<Frame | OversizedFrame> {
    let rest = this.#finish(chunk);
    const first = this.#finished();
    if (first !== undefined) {
      yield first;
    }
    while (rest.length > 0) {
      const count = Math.min(HEADER_BYTES - this.#headerBytes, rest.length);
      this.#headerBytes += rest.copy(this.#header, this.#headerBytes, 0, count);
      rest = rest.subarray(count);
      if (this.#headerBytes < HEADER_BYTES) {
        return;
      }
      this.#headerBytes = 0;
      const length = this.#header.readUInt32BE(0);
      const header = { stream: this.#header.readUInt32BE(4), type: this.#header.readUInt8(8), flags: this.#header.readUInt8(9) };
      if (length > MAX_FRAME_BYTES) {
        this.#skip = length;
        rest = this.#finish(rest);
        yield { ...header, oversized: length };
      } else if (rest.length >= length) {
        const payload = rest.subarray(0, length);
        rest = rest.subarray(length);
        yield { ...header, payload };
      } else {
        this.#unfinished = { header, payload: Buffer.allocUnsafe(length), filled: 0 };
        rest = this.#finish(rest);
      }
    }
  }

  /** Takes what belongs to the frame that has begun, and returns the rest. */
  #finish(chunk: Buffer): Buffer {
    if (this.#skip > 0) {
      const count = Math.min(this.#skip, chunk.length);
      this.#skip -= count;
      return chunk.subarray(count);
    }
    const unfinished = this.#unfinished;
    if (unfinished === undefined) {
      return chunk;
    }
    const copied = chunk.copy(unfinished.payload, unfinished.filled);
    unfinished.filled += copied;
    return chunk.subarray(copied);
  }

  #finished(): Frame | undefined {
    const unfinished = this.#unfinished;
    if (unfinished === undefined || unfinished.filled < unfinished.payload.length) {
      return undefined;
    }
    this.#unfinished = undefined;
    return { ...unfinished.header, payload: unfinished.payload };
  }
}
