/** How a service is described to those who serve and call it: names as on the wire, and how messages become bytes. */
import type { Writer } from 'protobufjs/minimal.js';

/** A class that protobufjs has generated. What `decode` gives has every field; `encode` takes any of them. */
export interface Codec<Encodable, Decoded> {
  encode(message: Encodable, writer?: Writer): Writer;
  /** Throws when the bytes are not such a message. */
  decode(bytes: Uint8Array): Decoded;
}

// biome-ignore lint/suspicious/noExplicitAny: only as a bound; every use infers the two types.
export type AnyCodec = Codec<any, any>;
export type Encodable<C> = C extends Codec<infer E, infer _> ? E : never;
export type Decoded<C> = C extends Codec<infer _, infer D> ? D : never;

export interface Method<Request extends AnyCodec = AnyCodec, Response extends AnyCodec = AnyCodec> {
  readonly request: Request;
  readonly response: Response;
  /** The server sends any number of responses to the one request. */
  readonly streams: boolean;
}

/** Unary methods and streaming ones apart, since they are served and called in different ways. */
export interface UnaryMethod<Request extends AnyCodec = AnyCodec, Response extends AnyCodec = AnyCodec> extends Method<Request, Response> {
  readonly streams: false;
}

export interface StreamingMethod<Request extends AnyCodec = AnyCodec, Response extends AnyCodec = AnyCodec>
  extends Method<Request, Response> {
  readonly streams: true;
}

export interface ServiceDescription {
  /** With its package, as in `containerd.task.v3.Task`. */
  readonly name: string;
  readonly methods: Readonly<Record<string, UnaryMethod | StreamingMethod>>;
}

export function unary<Request extends AnyCodec, Response extends AnyCodec>(
  request: Request,
  response: Response,
): UnaryMethod<Request, Response> {
  return { request, response, streams: false };
}

export function streaming<Request extends AnyCodec, Response extends AnyCodec>(
  request: Request,
  response: Response,
): StreamingMethod<Request, Response> {
  return { request, response, streams: true };
}
