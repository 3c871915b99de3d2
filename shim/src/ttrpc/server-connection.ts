/** One connection of a ttrpc server: calls come in frames, run at once and side by side, and are answered in the order in which they end. */
import type { Duplex } from 'node:stream';
import { ttrpc } from '../../../specs/containerd/gen/containerd.js';
import { bigintOf } from '../../../specs/containerd/uint64.ts';
import { RunningCall, statusOf } from '../base/running-call.ts';
import type { Served, ServiceTable } from '../base/service-table.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { encodeFrame, type Frame, FrameFlag, FrameReader, FrameType, MAX_FRAME_BYTES, type OversizedFrame } from './frame.ts';

/** One client cannot take more of the process than this: containerd waits for each of its containers with one call. */
const MOST_CALLS = 65_536;
const NO_BYTES = new Uint8Array();
const NANOSECONDS_PER_MILLISECOND = 1e6;

/**
 * Serves `stream` until either side closes it. Bytes that are no ttrpc end it; a call that cannot be understood is answered with a status.
 * While the client does not read its answers, its calls are not read either.
 */
export class ServerConnection {
  readonly #stream: Duplex;
  readonly #services: ServiceTable;
  readonly #reader = new FrameReader();
  readonly #calls = new Map<number, RunningCall>();
  readonly #drained = new Set<() => void>();
  #lastStream = 0;

  constructor(stream: Duplex, services: ServiceTable) {
    this.#stream = stream;
    this.#services = services;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('drain', () => this.#resume());
    stream.on('end', () => stream.end());
    // 'close' follows, and there is nobody left to tell.
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.#closed());
  }

  /** How many calls are running. */
  get calls(): number {
    return this.#calls.size;
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#reader.push(chunk)) {
      try {
        this.#handleFrame(frame);
      } catch (error) {
        this.#respondError(frame.stream, error);
      }
    }
  }

  #handleFrame(frame: Frame | OversizedFrame): void {
    if ('oversized' in frame) {
      const text = `message length ${frame.oversized} exceed maximum message size of ${MAX_FRAME_BYTES}`;
      throw new StatusError(StatusCode.resourceExhausted, text);
    }
    if (frame.type !== FrameType.request && frame.type !== FrameType.data) {
      return;
    }
    if (frame.stream % 2 !== 1) {
      throw new StatusError(StatusCode.invalidArgument, 'StreamID must be odd for client initiated streams');
    }
    if (frame.type === FrameType.data) {
      this.#handleData(frame);
      return;
    }
    if (frame.stream <= this.#lastStream) {
      throw new StatusError(StatusCode.invalidArgument, 'StreamID cannot be re-used and must increment');
    }
    this.#lastStream = frame.stream;
    this.#handleRequest(frame);
  }

  /** No method here takes a stream of requests, so all that may follow a request is its end. */
  #handleData({ stream, flags }: Frame): void {
    if ((flags & FrameFlag.noData) === 0) {
      this.#calls.get(stream)?.end();
      this.#calls.delete(stream);
      throw new StatusError(StatusCode.invalidArgument, `stream ${stream} takes no data`);
    }
  }

  #handleRequest(frame: Frame): void {
    const request = decodeRequest(frame.payload);
    const served = this.#services.find(request.service, request.method);
    if (this.#calls.size >= MOST_CALLS) {
      throw new StatusError(StatusCode.resourceExhausted, `more than ${MOST_CALLS} calls at once on one connection`);
    }
    const argument = decodeArgument(served, request.payload);
    const { stream } = frame;
    const timeoutMs = Math.ceil(Number(bigintOf(request.timeoutNano)) / NANOSECONDS_PER_MILLISECOND);
    const call: RunningCall = new RunningCall(metadataOf(request), timeoutMs, () =>
      this.#finish(stream, call, () =>
        this.#respondError(stream, new StatusError(StatusCode.deadlineExceeded, 'context deadline exceeded')),
      ),
    );
    this.#calls.set(stream, call);
    this.#run(stream, served, argument, call).catch((error: unknown) =>
      this.#finish(stream, call, () => this.#respondError(stream, error)),
    );
  }

  async #run(stream: number, { method, handler }: Served, argument: unknown, call: RunningCall): Promise<void> {
    const answer = handler(argument, call);
    if (!method.streams) {
      const payload = method.response.encode(await answer).finish();
      this.#finish(stream, call, () => this.#respond(stream, payload));
      return;
    }
    if (!(Symbol.asyncIterator in answer)) {
      throw new StatusError(StatusCode.internal, 'a method that streams must return an iterable');
    }
    for await (const message of answer) {
      if (this.#calls.get(stream) !== call) {
        return;
      }
      const payload = method.response.encode(message).finish();
      if (payload.length > MAX_FRAME_BYTES) {
        throw oversizedAnswer(payload.length);
      }
      this.#send(stream, FrameType.data, 0, payload);
      await this.#writable();
    }
    this.#finish(stream, call, () => this.#send(stream, FrameType.data, FrameFlag.remoteClosed | FrameFlag.noData, NO_BYTES));
  }

  /** Calls `answer` if nobody has answered yet. */
  #finish(stream: number, call: RunningCall, answer: () => void): void {
    call.end();
    if (this.#calls.get(stream) === call) {
      this.#calls.delete(stream);
      answer();
    }
  }

  #respond(stream: number, payload: Uint8Array): void {
    const message = ttrpc.Response.encode({ payload }).finish();
    if (message.length > MAX_FRAME_BYTES) {
      this.#respondError(stream, oversizedAnswer(message.length));
    } else {
      this.#send(stream, FrameType.response, 0, message);
    }
  }

  #respondError(stream: number, error: unknown): void {
    this.#send(stream, FrameType.response, 0, ttrpc.Response.encode({ status: statusOf(error) }).finish());
  }

  #send(stream: number, type: number, flags: number, payload: Uint8Array): void {
    if (this.#stream.writable && !this.#stream.write(encodeFrame({ stream, type, flags }, payload))) {
      this.#stream.pause();
    }
  }

  #writable(): Promise<void> | undefined {
    return this.#stream.writableNeedDrain ? new Promise((resolve) => this.#drained.add(resolve)) : undefined;
  }

  #resume(): void {
    this.#stream.resume();
    for (const resolve of this.#drained) {
      resolve();
    }
    this.#drained.clear();
  }

  #closed(): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) {
      call.abort(new StatusError(StatusCode.canceled, 'the client has closed the connection'));
    }
    this.#resume();
  }
}

function decodeRequest(bytes: Uint8Array): ttrpc.Request {
  try {
    return ttrpc.Request.decode(bytes);
  } catch (error) {
    throw new StatusError(StatusCode.invalidArgument, `unmarshal request error: ${statusOf(error).message}`, error);
  }
}

function decodeArgument({ method }: Served, payload: Uint8Array): unknown {
  try {
    return method.request.decode(payload);
  } catch (error) {
    throw new StatusError(StatusCode.invalidArgument, `error unmarshalling payload: ${statusOf(error).message}`, error);
  }
}

function metadataOf(request: ttrpc.Request): ReadonlyMap<string, string> {
  return new Map(request.metadata.map(({ key, value }) => [(key ?? '').toLowerCase(), value ?? '']));
}

function oversizedAnswer(length: number): StatusError {
  return new StatusError(StatusCode.resourceExhausted, `the answer of ${length} bytes exceeds the limit of ${MAX_FRAME_BYTES} bytes`);
}
