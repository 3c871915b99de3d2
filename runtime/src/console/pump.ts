/** Bytes from one descriptor to another, no faster than the other takes them. */
import { tryCall } from '../linux/call.ts';
import { EAGAIN } from '../linux/errno.ts';
import { POLLIN, POLLOUT, type PollEntry } from '../linux/poll.ts';
import type { Sys } from '../sys/sys.ts';

/**
 * What a pipe that is ready for writing takes without blocking (PIPE_BUF): our standard streams are shared with other processes, so they cannot
 * be made non-blocking.
 */
const CHUNK_BYTES = 4096;

export type PumpState =
  /** There may be more to read. */
  | 'open'
  /** The source is at its end, and all that came from it is written. */
  | 'ended'
  /** The sink takes nothing any more. */
  | 'broken';

export class Pump {
  readonly #sys: Sys;
  readonly #source: number;
  readonly #sink: number;
  readonly #buffer = new ArrayBuffer(CHUNK_BYTES);
  readonly #address: number;
  #start = 0;
  #end = 0;
  state: PumpState = 'open';
  /** The last byte that was read; -1 before. */
  lastByte = -1;

  constructor(sys: Sys, source: number, sink: number) {
    this.#sys = sys;
    this.#source = source;
    this.#sink = sink;
    this.#address = sys.address(this.#buffer);
  }

  /** What to wait for; undefined when there is nothing any more. */
  get entry(): PollEntry | undefined {
    if (this.state !== 'open') return undefined;
    return this.#start === this.#end ? { fd: this.#source, events: POLLIN } : { fd: this.#sink, events: POLLOUT };
  }

  /** Moves on, when `entry` has an event of any kind: what it means, the read or the write tells. */
  advance(): void {
    if (this.#start === this.#end) this.#read();
    else this.#write();
  }

  /** Whether bytes are waiting to be written. */
  get isFull(): boolean {
    return this.#start !== this.#end;
  }

  /** Reads what is there. Returns false when nothing was. The source must not block. */
  refill(): boolean {
    this.#read();
    return this.isFull;
  }

  #read(): void {
    const length = tryCall(this.#sys, 'read', this.#source, this.#address, CHUNK_BYTES);
    if (length === -EAGAIN) return;
    // An error is an end as well: EIO from a terminal without processes or in the background, EBADF from a closed standard stream.
    if (length <= 0) {
      this.state = 'ended';
      return;
    }
    this.#start = 0;
    this.#end = length;
    this.lastByte = new Uint8Array(this.#buffer)[length - 1] ?? -1;
  }

  #write(): void {
    const length = tryCall(this.#sys, 'write', this.#sink, this.#address + this.#start, this.#end - this.#start);
    if (length === -EAGAIN) return;
    if (length < 0) this.state = 'broken';
    else this.#start += length;
  }
}
