/** The services over gRPC, for connections that somebody else has accepted (HTTP/2 without TLS). */

import type { Duplex } from 'node:stream';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { AnyCodec } from '../../../specs/containerd/service.ts';
import { RunningCall, statusOf } from '../base/running-call.ts';
import type { ErasedHandler, Service } from '../base/service.ts';
import type { ServiceTable } from '../base/service-table.ts';
import { StatusCode, StatusError } from '../base/status.ts';

export interface GrpcServer {
  /** Serves a connection from its first byte on, which may have been put back by `unshift`. Takes the stream over. */
  serve(stream: Duplex): void;
  /** Ends all connections. */
  close(): void;
}

const MAX_MESSAGE_BYTES = 16 << 20;

export function createGrpcServer(services: ServiceTable): GrpcServer {
  const server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES, 'grpc.enable_channelz': 0 });
  for (const service of services.services) {
    server.addService(definitionOf(service), implementationOf(service));
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (stream) => injector.injectConnection(stream),
    close: () => {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

type Definition = Parameters<Server['addService']>[0];

function definitionOf({ description }: Service): Definition {
  return Object.fromEntries(
    Object.entries(description.methods).map(([name, method]) => [
      name,
      {
        path: `/${description.name}/${name}`,
        requestStream: false,
        responseStream: method.streams,
        requestSerialize: serializer(method.request),
        requestDeserialize: deserializer(method.request),
        responseSerialize: serializer(method.response),
        responseDeserialize: deserializer(method.response),
      },
    ]),
  );
}

function implementationOf({ description, handler }: Service): UntypedServiceImplementation {
  const table: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(description.methods)) {
    const run = handler(name);
    if (run !== undefined) {
      table[name] = method.streams ? streamingHandler(run) : unaryHandler(run);
    }
  }
  return table;
}

function unaryHandler(run: ErasedHandler): handleUnaryCall<unknown, unknown> {
  return (incoming, respond) => {
    const call = runningCall(incoming);
    // In a function of its own, so that what a handler throws at once is a failed call too.
    const answer = async () => run(incoming.request, call);
    answer().then(
      (response) => {
        call.end();
        respond(null, response);
      },
      (error: unknown) => {
        call.end();
        respond(errorOf(error));
      },
    );
  };
}

function streamingHandler(run: ErasedHandler): handleServerStreamingCall<unknown, unknown> {
  return (outgoing) => {
    const call = runningCall(outgoing);
    stream(run(outgoing.request, call), outgoing).then(
      () => {
        call.end();
        outgoing.end();
      },
      (error: unknown) => {
        call.end();
        // How grpc-js takes the status of a stream.
        outgoing.emit('error', errorOf(error));
      },
    );
  };
}

async function stream(answer: ReturnType<ErasedHandler>, outgoing: ServerWritableStream<unknown, unknown>): Promise<void> {
  if (!(Symbol.asyncIterator in answer)) {
    throw new StatusError(StatusCode.internal, 'a method that streams must return an iterable');
  }
  for await (const message of answer) {
    if (outgoing.cancelled) {
      return;
    }
    if (!outgoing.write(message)) {
      await new Promise<void>((resolve) => {
        outgoing.once('drain', resolve);
        outgoing.once('cancelled', resolve);
      });
    }
  }
}

function runningCall(incoming: ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>): RunningCall {
  // grpc-js itself answers when a deadline has passed, and says 'cancelled' then, as when the client has gone.
  const call = new RunningCall(metadataOf(incoming.metadata), 0, () => undefined);
  incoming.on('cancelled', () => call.abort(new StatusError(StatusCode.canceled, 'the call was cancelled, or its deadline has passed')));
  return call;
}

function metadataOf(metadata: Metadata): ReadonlyMap<string, string> {
  return new Map(Object.entries(metadata.getMap()).map(([key, value]) => [key, value.toString()]));
}

function errorOf(error: unknown): Error & { code: number; details: string } {
  const { code, message } = statusOf(error);
  return Object.assign(new Error(message), { code, details: message });
}

function serializer(codec: AnyCodec): (message: unknown) => Buffer {
  return (message) => {
    const bytes = codec.encode(message).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function deserializer(codec: AnyCodec): (bytes: Buffer) => unknown {
  return (bytes) => codec.decode(bytes);
}
