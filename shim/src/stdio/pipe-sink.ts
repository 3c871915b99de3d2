/** Into a named pipe or a terminal: as fast as it is read, and no faster. */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { EAGAIN } from '../../../runtime/src/linux/errno.ts';
import { close } from '../../../runtime/src/linux/files.ts';
import { POLLOUT } from '../../../runtime/src/linux/poll.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Poller, Watch } from '../base/poller.ts';
import type { Sink } from './sink.ts';

export class PipeSink implements Sink {
  readonly #sys: Sys;
  readonly #poller: Poller;
  readonly #fd: number;
  /** What the pipe did not take yet. */
  #rest: Uint8Array<ArrayBuffer> | undefined;
  #watch: Watch | undefined;
  #ready: (() => void) | undefined;
  #broken = false;

  /** Takes over the descriptor, which must not block. */
  constructor(sys: Sys, poller: Poller, fd: number) {
    this.#sys = sys;
    this.#poller = poller;
    this.#fd = fd;
  }

  write(chunk: Uint8Array, ready: () => void): boolean {
    if (this.#broken) return true;
    // A copy only where something is left.
    const written = this.#tryWrite(chunk);
    if (this.#broken || written === chunk.length) return true;
    this.#rest = Uint8Array.from(chunk.subarray(written));
    this.#ready = ready;
    this.#watch ??= this.#poller.watch(this.#fd, 0, () => this.#advance());
    this.#watch.want(POLLOUT);
    return false;
  }

  /** What nobody has read by now is lost: whoever wants it has had the time until here. */
  async close(): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    this.#rest = undefined;
    close(this.#sys, this.#fd);
    this.#broken = true;
  }

  #tryWrite(chunk: Uint8Array): number {
    const start = this.#sys.address(bufferOf(chunk)) + chunk.byteOffset;
    let written = 0;
    while (written < chunk.length) {
      const result = tryCall(this.#sys, 'write', this.#fd, start + written, chunk.length - written);
      if (result === -EAGAIN) break;
      if (result < 0) {
        this.#broken = true;
        break;
      }
      written += result;
    }
    return written;
  }

  #advance(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    const written = this.#tryWrite(rest);
    if (!this.#broken && written < rest.length) {
      this.#rest = rest.subarray(written);
      return;
    }
    this.#rest = undefined;
    this.#watch?.want(0);
    this.#ready?.();
  }
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  if (bytes.buffer instanceof SharedArrayBuffer) throw new TypeError('shared memory cannot be given to the kernel');
  return bytes.buffer as ArrayBuffer;
}
