/** A ttrpc client: any number of calls side by side on one connection, which somebody else has made. */
import type { Duplex } from 'node:stream';
import { ttrpc } from '../../../specs/containerd/gen/containerd.js';
import type { AnyCodec, ServiceDescription, StreamingMethod, UnaryMethod } from '../../../specs/containerd/service.ts';
import type { CallOptions, Client } from '../base/service.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { encodeFrame, type Frame, FrameFlag, FrameReader, FrameType, MAX_FRAME_BYTES, type OversizedFrame } from './frame.ts';
import { Messages } from './messages.ts';

const NANOSECONDS_PER_MILLISECOND = 1_000_000;

/** One who waits for the frames of a stream. */
interface Receiver {
  receive(frame: Frame): void;
  fail(error: StatusError): void;
}

/** Owns `stream`. When it ends, calls fail with `unavailable`. */
export class TtrpcConnection {
  readonly #stream: Duplex;
  readonly #reader = new FrameReader();
  readonly #receivers = new Map<number, Receiver>();
  #nextStream = 1;
  #failure: StatusError | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      for (const frame of this.#reader.push(chunk)) {
        this.#receive(frame);
      }
    });
    stream.on('error', (error) => this.#fail(error.message));
    stream.on('end', () => stream.destroy());
    stream.on('close', () => this.#fail('ttrpc: closed'));
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  close(): void {
    this.#stream.destroy();
    this.#fail('ttrpc: closed');
  }

  client<S extends ServiceDescription>(description: S): Client<S> {
    const functions = Object.entries(description.methods).map(([name, method]) => {
      const start = method.streams
        ? (request: unknown, options?: CallOptions) => this.#callStreaming(description.name, name, method, request, options)
        : (request: unknown, options?: CallOptions) => this.#callUnary(description.name, name, method, request, options);
      return [name, start] as const;
    });
    const client: object = Object.fromEntries(functions);
    return client as Client<S>;
  }

  #callUnary(service: string, name: string, method: UnaryMethod, request: unknown, options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const stream = this.#open(
        {
          receive: (frame) => {
            finish();
            try {
              resolve(method.response.decode(payloadOf(frame)));
            } catch (error) {
              reject(error);
            }
          },
          fail: (error) => {
            finish();
            reject(error);
          },
        },
        () => encodeRequest(service, name, method.request, request, options),
        0,
      );
      const stopWatching = this.#watch(stream, options);
      const finish = (): void => {
        this.#receivers.delete(stream);
        stopWatching();
      };
    });
  }

  async *#callStreaming(
    service: string,
    name: string,
    method: StreamingMethod,
    request: unknown,
    options: CallOptions = {},
  ): AsyncGenerator<unknown> {
    const messages = new Messages<Frame>();
    const receiver = { receive: (frame: Frame) => messages.push(frame), fail: (error: StatusError) => messages.fail(error) };
    const stream = this.#open(receiver, () => encodeRequest(service, name, method.request, request, options), FrameFlag.remoteClosed);
    const stopWatching = this.#watch(stream, options);
    try {
      for await (const frame of messages) {
        if (frame.type === FrameType.response) {
          payloadOf(frame);
          return;
        }
        if ((frame.flags & FrameFlag.noData) === 0) {
          yield method.response.decode(frame.payload);
        }
        if ((frame.flags & FrameFlag.remoteClosed) !== 0) {
          return;
        }
      }
    } finally {
      this.#receivers.delete(stream);
      stopWatching();
    }
  }

  /** Sends a request under the next number. The bytes are made only now: numbers must go out in order. */
  #open(receiver: Receiver, encode: () => Uint8Array, flags: number): number {
    const bytes = encode();
    if (bytes.length > MAX_FRAME_BYTES) {
      throw new StatusError(
        StatusCode.resourceExhausted,
        `the request of ${bytes.length} bytes exceeds the limit of ${MAX_FRAME_BYTES} bytes`,
      );
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#receivers.set(stream, receiver);
    this.#stream.write(encodeFrame({ stream, type: FrameType.request, flags }, bytes));
    return stream;
  }

  /** Fails the stream when its time is over or the caller has had enough. */
  #watch(stream: number, { timeoutMs, signal }: CallOptions): () => void {
    const fail = (error: StatusError): void => this.#receivers.get(stream)?.fail(error);
    const cancel = (): void => fail(new StatusError(StatusCode.canceled, 'the call was cancelled'));
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => fail(new StatusError(StatusCode.deadlineExceeded, `no answer within ${timeoutMs} ms`)), timeoutMs);
    if (signal?.aborted) {
      queueMicrotask(cancel);
    }
    signal?.addEventListener('abort', cancel);
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
  }

  #receive(frame: Frame | OversizedFrame): void {
    // One that nobody waits for any more belongs to a call that was given up.
    const receiver = this.#receivers.get(frame.stream);
    if ('oversized' in frame) {
      const text = `message length ${frame.oversized} exceed maximum message size of ${MAX_FRAME_BYTES}`;
      receiver?.fail(new StatusError(StatusCode.resourceExhausted, text));
    } else {
      receiver?.receive(frame);
    }
  }

  #fail(reason: string): void {
    this.#failure ??= new StatusError(StatusCode.unavailable, reason);
    for (const receiver of [...this.#receivers.values()]) {
      receiver.fail(this.#failure);
    }
    this.#receivers.clear();
  }
}

function encodeRequest(service: string, method: string, codec: AnyCodec, request: unknown, options: CallOptions): Uint8Array {
  const metadata = Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value }));
  const timeoutNano = Math.ceil((options.timeoutMs ?? 0) * NANOSECONDS_PER_MILLISECOND);
  return ttrpc.Request.encode({ service, method, payload: codec.encode(request).finish(), timeoutNano, metadata }).finish();
}

/** Throws the status of a failed call. */
function payloadOf(frame: Frame): Uint8Array {
  const { status, payload } = ttrpc.Response.decode(frame.payload);
  if (status?.code) {
    const code = Object.values(StatusCode).find((known) => known === status.code) ?? StatusCode.unknown;
    throw new StatusError(code, status.message ?? '');
  }
  return payload;
}
