/**
 * A gRPC client of a description, on a unix socket: unary calls and streams of responses over Node's own HTTP/2 (gRPC's PROTOCOL-HTTP2.md). Every command of tsctl
 * loads it, so it is no more than that; servers are another matter.
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { AnyCodec, ServiceDescription, StreamingMethod, UnaryMethod } from '../../../specs/containerd/service.ts';
import type { CallOptions, Client } from '../base/service.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { framed, messagesIn } from './message.ts';

const WINDOW_BYTES = 1 << 20;
/** Of a deadline on the wire: at most 8 digits. */
const LONGEST_MS = 99_999_999;

export class GrpcConnection {
  readonly #path: string;
  #session: ClientHttp2Session | undefined;

  /** Connects when it is first used, and again when it was cut off. @param path of the socket, absolute */
  constructor(path: string) {
    this.#path = path;
  }

  /** Calls that still run fail. */
  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  client<S extends ServiceDescription>(description: S): Client<S> {
    const functions = Object.entries(description.methods).map(([name, method]) => {
      const path = `/${description.name}/${name}`;
      const start = method.streams
        ? (request: unknown, options?: CallOptions) => this.#call(path, method, request, options)
        : (request: unknown, options?: CallOptions) => this.#callUnary(path, method, request, options);
      return [name, start] as const;
    });
    const client: object = Object.fromEntries(functions);
    return client as Client<S>;
  }

  async #callUnary(path: string, method: UnaryMethod, request: unknown, options?: CallOptions): Promise<unknown> {
    const answers: unknown[] = [];
    for await (const answer of this.#call(path, method, request, options)) answers.push(answer);
    if (answers.length === 1) return answers[0];
    throw new StatusError(StatusCode.internal, `${path} was answered by ${answers.length} messages, not one`);
  }

  async *#call(path: string, method: UnaryMethod | StreamingMethod, request: unknown, options: CallOptions = {}): AsyncGenerator<unknown> {
    const call = new RunningStream(this.#connected(), path, options);
    try {
      call.stream.end(framed(bytesOf(method.request, request)));
      for await (const bytes of messagesIn(call.stream)) yield method.response.decode(bytes);
      const failure = call.failure();
      if (failure !== undefined) throw failure;
    } catch (error) {
      throw call.failure(error);
    } finally {
      // One who stops listening half way leaves nothing open.
      call.end();
    }
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect('http://localhost', {
      createConnection: () => connectSocket(this.#path),
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    // Each call hears of it by itself.
    session.on('error', () => undefined);
    this.#session = session;
    return session;
  }
}

class RunningStream {
  readonly stream: ClientHttp2Stream;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  /** What the server has said; headers alone where nothing else comes. */
  #status: IncomingHttpHeaders | undefined;
  /** Why this side has given it up. */
  #ownFailure: StatusError | undefined;

  constructor(session: ClientHttp2Session, path: string, { timeoutMs, metadata = {}, signal }: CallOptions) {
    this.stream = session.request({
      ...metadata,
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
      ...(timeoutMs === undefined ? {} : { 'grpc-timeout': `${Math.min(Math.max(Math.ceil(timeoutMs), 1), LONGEST_MS)}m` }),
    });
    this.stream.on('response', (headers: IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined || Number(headers[':status']) !== 200) this.#status = headers;
    });
    this.stream.on('trailers', (headers: IncomingHttpHeaders) => {
      this.#status ??= headers;
    });
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#giveUp(StatusCode.deadlineExceeded, `${path} took more than ${timeoutMs} ms`), timeoutMs);
    }
    this.#signal = signal;
    signal?.addEventListener('abort', this.#cancel);
    if (signal?.aborted === true) this.#cancel();
  }

  readonly #cancel = (): void => this.#giveUp(StatusCode.canceled, 'the call was cancelled');

  #giveUp(code: StatusCode, message: string): void {
    this.#ownFailure ??= new StatusError(code, message);
    this.stream.destroy();
  }

  /** Why the call failed; undefined for one that did not. `error` is what reading its stream ended with. */
  failure(error?: unknown): unknown {
    if (this.#ownFailure !== undefined) return this.#ownFailure;
    if (error instanceof StatusError) return error;
    const said = this.#status?.['grpc-status'];
    if (said === undefined) {
      const reason =
        error instanceof Error ? error.message : `the stream ended without a status (${this.#status?.[':status'] ?? 'no answer'})`;
      return new StatusError(StatusCode.unavailable, reason, error);
    }
    if (said === '0') return error;
    const code = Object.values(StatusCode).find((known) => known === Number(said)) ?? StatusCode.unknown;
    return new StatusError(code, decodedMessage(this.#status?.['grpc-message']), error);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#cancel);
    this.stream.on('error', () => undefined);
    if (!this.stream.closed) this.stream.close(constants.NGHTTP2_CANCEL);
  }
}

function bytesOf(codec: AnyCodec, message: unknown): Uint8Array {
  return codec.encode(message).finish();
}

/** Percent-encoded UTF-8; what is not is taken as it is. */
function decodedMessage(text: string | readonly string[] | undefined): string {
  const message = String(text ?? '');
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
