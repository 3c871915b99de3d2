/** Bytes from a descriptor to a sink, no faster than the sink takes them. */
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { EAGAIN } from '../../../runtime/src/linux/errno.ts';
import { POLLIN } from '../../../runtime/src/linux/poll.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Poller, Watch } from '../base/poller.ts';
import type { Sink } from './sink.ts';

const CHUNK_BYTES = 65_536;
/** Then others have their turn. */
const READS_IN_A_TURN = 8;
/** Sinks copy what they keep, so that one buffer serves all pumps of a thread. */
const shared = new ArrayBuffer(CHUNK_BYTES);

export class Pump {
  readonly #sys: Sys;
  readonly #source: number;
  readonly #sink: Sink;
  readonly #watch: Watch;
  readonly #ended: () => void;
  #state: 'open' | 'full' | 'ended' = 'open';

  /**
   * Begins at once. The source must not block and stays the caller's; so does the sink.
   * @param ended called once, when the source is at its end and the sink has taken all; never after `stop`
   */
  constructor(sys: Sys, poller: Poller, source: number, sink: Sink, ended: () => void) {
    this.#sys = sys;
    this.#source = source;
    this.#sink = sink;
    this.#ended = ended;
    this.#watch = poller.watch(source, POLLIN, () => this.#advance());
  }

  /** What is not read by now stays unread. To be called before the source is closed. */
  stop(): void {
    this.#state = 'ended';
    this.#watch.close();
  }

  #advance(): void {
    const address = this.#sys.address(shared);
    for (let turn = 0; turn < READS_IN_A_TURN; turn++) {
      const length = tryCall(this.#sys, 'read', this.#source, address, CHUNK_BYTES);
      if (length === -EAGAIN) return;
      // An error is an end as well: EIO from a terminal that nobody has open any more.
      if (length <= 0) {
        this.#end();
        return;
      }
      if (!this.#sink.write(new Uint8Array(shared, 0, length), () => this.#resume())) {
        this.#state = 'full';
        this.#watch.want(0);
        return;
      }
    }
  }

  #resume(): void {
    if (this.#state !== 'full') return;
    this.#state = 'open';
    this.#watch.want(POLLIN);
  }

  #end(): void {
    this.#state = 'ended';
    this.#watch.close();
    this.#ended();
  }
}
