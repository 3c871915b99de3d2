/** A service as it is implemented: one async function a method. Which protocol carries the calls is none of its business. */
import type { Decoded, Encodable, ServiceDescription, StreamingMethod, UnaryMethod } from '../../../specs/containerd/service.ts';

/** What a handler may know of the call beside its request. */
export interface Call {
  /** Keys in lower case, as both protocols have them; of a repeated key the last value. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Aborted when the caller has gone, has cancelled, or its deadline has passed: the answer will not be read. Changes go on all the same. */
  readonly signal: AbortSignal;
}

type Handler<M> =
  M extends UnaryMethod<infer Request, infer Response>
    ? (request: Decoded<Request>, call: Call) => Promise<Encodable<Response>>
    : M extends StreamingMethod<infer Request, infer Response>
      ? (request: Decoded<Request>, call: Call) => AsyncIterable<Encodable<Response>>
      : never;

/** One function for every method of the description. It throws a StatusError; any other error becomes `unknown` with its message. */
export type Handlers<S extends ServiceDescription> = { readonly [M in keyof S['methods']]: Handler<S['methods'][M]> };

export type ErasedHandler = (request: unknown, call: Call) => Promise<unknown> | AsyncIterable<unknown>;

/** A description and its handlers, for the servers of both protocols. */
export interface Service {
  readonly description: ServiceDescription;
  readonly handler: (method: string) => ErasedHandler | undefined;
}

export function implement<S extends ServiceDescription>(description: S, handlers: Handlers<S>): Service {
  const functions: object = handlers;
  // By the description's own names: nothing else of the object can be called from outside.
  const table = new Map<string, ErasedHandler>(
    Object.keys(description.methods).map((method) => [method, Reflect.get(functions, method).bind(functions)]),
  );
  return { description, handler: (method) => table.get(method) };
}

/** The other side: one function for every unary method, and for every streaming one an iterable. */
export type Client<S extends ServiceDescription> = {
  readonly [M in keyof S['methods']]: S['methods'][M] extends UnaryMethod<infer Request, infer Response>
    ? (request: Encodable<Request>, options?: CallOptions) => Promise<Decoded<Response>>
    : S['methods'][M] extends StreamingMethod<infer Request, infer Response>
      ? (request: Encodable<Request>, options?: CallOptions) => AsyncIterable<Decoded<Response>>
      : never;
};

export interface CallOptions {
  /** After this the call fails with `deadlineExceeded`. Without it, it waits as long as the connection lives. */
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Aborting it fails the call with `canceled`. */
  readonly signal?: AbortSignal;
}
