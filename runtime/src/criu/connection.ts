/** The conversation with a `criu swrk`: a request, notifications while it is at work, an answer; each one packet (unix(7), SOCK_SEQPACKET). */
import { RuntimeError } from '../base/errors.ts';
import { call } from '../linux/call.ts';
import { ECONNRESET, EPIPE, isErrno } from '../linux/errno.ts';
import { close } from '../linux/files.ts';
import { MSG_NOSIGNAL, receiveWithFds } from '../linux/sockets.ts';
import type { Sys } from '../sys/sys.ts';
import type { Patience } from './patience.ts';
import {
  type Answer,
  type CriuOptions,
  decodeAnswer,
  encodeFeatureRequest,
  encodeNotifyAnswer,
  encodeRequest,
  encodeVersionRequest,
  type Feature,
  REQUEST_TYPES,
  type RequestType,
} from './rpc.ts';

const OBJECT = 'the connection to criu';
/** Answers are a few hundred bytes. */
const LARGEST_PACKET = 64 * 1024;

/** CRIU ended when it should have answered. */
export class CriuGone extends RuntimeError {
  constructor() {
    super('criu', 'criu ended without an answer');
    this.name = 'CriuGone';
  }
}

function unlessGone<T>(exchange: () => T): T {
  try {
    return exchange();
  } catch (error) {
    throw isErrno(error, EPIPE, ECONNRESET) ? new CriuGone() : error;
  }
}

export interface Notification {
  /** The moment: `setup-namespaces`, `post-restore`, `pre-resume`, `orphan-pts-master`, `status-ready`, … */
  readonly moment: string;
  /** The restored init, as the host sees it; 0 at moments that have none. */
  readonly pid: number;
  /** Belong to who is notified: closed when it returns. */
  readonly fds: readonly number[];
}

export class CriuConnection {
  readonly #sys: Sys;
  readonly #socket: number;
  readonly #patience: Patience | undefined;

  /** The socket stays the caller's. Without `patience` there is no end of waiting. */
  constructor(sys: Sys, socket: number, patience?: Patience) {
    this.#sys = sys;
    this.#socket = socket;
    this.#patience = patience;
  }

  /** As 31700 for 3.17. */
  version(): number {
    return this.#exchange(encodeVersionRequest(this.#sys)).version ?? 0;
  }

  has(feature: Feature): boolean {
    return this.#exchange(encodeFeatureRequest(this.#sys, feature)).has(feature);
  }

  /**
   * Sends the request that the connection is for and serves notifications until the answer comes. What `notified` throws makes CRIU fail, where it can
   * still, and is thrown in the end.
   */
  perform(type: RequestType, options: CriuOptions, notified: (notification: Notification) => void): Answer {
    this.#send(encodeRequest(this.#sys, type, options));
    let failure: unknown;
    try {
      for (;;) {
        const { answer, fds } = this.#receive();
        if (answer.type !== REQUEST_TYPES.notify || answer.notify === undefined) {
          if (failure !== undefined) throw failure;
          return answer;
        }
        try {
          notified({ moment: answer.notify.script, pid: answer.notify.pid, fds });
        } catch (error) {
          failure ??= error;
        } finally {
          for (const fd of fds) close(this.#sys, fd);
        }
        this.#send(encodeNotifyAnswer(this.#sys, failure === undefined));
      }
    } catch (error) {
      // What became of CRIU after that is not the reason.
      throw failure ?? error;
    }
  }

  #exchange(request: ArrayBuffer): Answer {
    this.#send(request);
    return this.#receive().answer;
  }

  #send(packet: ArrayBuffer): void {
    unlessGone(() => call(this.#sys, 'sendto', OBJECT, this.#socket, packet, packet.byteLength, MSG_NOSIGNAL, null, 0));
  }

  #receive(): { readonly answer: Answer; readonly fds: readonly number[] } {
    this.#patience?.waitFor(this.#socket);
    const { data, fds } = unlessGone(() => receiveWithFds(this.#sys, this.#socket, LARGEST_PACKET, OBJECT));
    if (data.byteLength === 0) throw new CriuGone();
    return { answer: decodeAnswer(this.#sys, data), fds };
  }
}
