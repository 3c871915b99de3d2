/** The Task service as its neighbour in the same process calls it: the same messages, without a socket between. */

import type { AnyCodec, ServiceDescription } from '../../../specs/containerd/service.ts';
import type { TaskV3 } from '../../../specs/containerd/task.ts';
import type { Call, CallOptions, Client, Service } from '../base/service.ts';

export type Tasks = Client<typeof TaskV3>;

const NO_METADATA: ReadonlyMap<string, string> = new Map();

/** Only unary methods. Requests are encoded and decoded, so that handlers see what they would see of a stranger's. */
export function localClient<S extends ServiceDescription>(description: S, service: Service): Client<S> {
  const functions = Object.entries(description.methods).map(([name, method]) => {
    const handler = service.handler(name);
    const start = async (request: unknown, options: CallOptions = {}): Promise<unknown> => {
      if (handler === undefined) throw new Error(`${description.name} has no ${name}`);
      const call: Call = { metadata: NO_METADATA, signal: options.signal ?? new AbortController().signal };
      return await handler(decoded(method.request, request), call);
    };
    return [name, start] as const;
  });
  const client: object = Object.fromEntries(functions);
  return client as Client<S>;
}

function decoded(codec: AnyCodec, message: unknown): unknown {
  return codec.decode(codec.encode(message).finish());
}
