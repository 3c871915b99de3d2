/** A gRPC client of a description, on a unix socket. */
import { credentials, type Deadline, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AnyCodec, ServiceDescription, StreamingMethod, UnaryMethod } from '../../../specs/containerd/service.ts';
import type { CallOptions, Client } from '../base/service.ts';
import { StatusCode, StatusError } from '../base/status.ts';

const MAX_MESSAGE_BYTES = 16 << 20;

export class GrpcConnection {
  readonly #client: GrpcClient;

  /** Connects when it is first used, and again when it was cut off. @param path of the socket, absolute */
  constructor(path: string) {
    this.#client = new GrpcClient(`unix://${path}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
      // Not to be asked of whoever stands in http_proxy.
      'grpc.enable_http_proxy': 0,
    });
  }

  close(): void {
    this.#client.close();
  }

  client<S extends ServiceDescription>(description: S): Client<S> {
    const functions = Object.entries(description.methods).map(([name, method]) => {
      const path = `/${description.name}/${name}`;
      const start = method.streams
        ? (request: unknown, options?: CallOptions) => this.#callStreaming(path, method, request, options)
        : (request: unknown, options?: CallOptions) => this.#callUnary(path, method, request, options);
      return [name, start] as const;
    });
    const client: object = Object.fromEntries(functions);
    return client as Client<S>;
  }

  #callUnary(path: string, method: UnaryMethod, request: unknown, options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        serializer(method.request),
        (bytes) => method.response.decode(bytes),
        request,
        metadataOf(options),
        deadlineOf(options),
        (error, response) => {
          options.signal?.removeEventListener('abort', cancel);
          if (error === null) {
            resolve(response);
          } else {
            reject(statusError(error));
          }
        },
      );
      const cancel = (): void => call.cancel();
      options.signal?.addEventListener('abort', cancel);
      if (options.signal?.aborted) cancel();
    });
  }

  async *#callStreaming(path: string, method: StreamingMethod, request: unknown, options: CallOptions = {}): AsyncGenerator<unknown> {
    const call = this.#client.makeServerStreamRequest(
      path,
      serializer(method.request),
      (bytes) => method.response.decode(bytes),
      request,
      metadataOf(options),
      deadlineOf(options),
    );
    const cancel = (): void => call.cancel();
    options.signal?.addEventListener('abort', cancel);
    if (options.signal?.aborted) cancel();
    try {
      yield* call;
    } catch (error) {
      throw error instanceof Error && 'code' in error ? statusError(error as ServiceError) : error;
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      // One who stops listening half way leaves nothing open; of a call that has ended nothing is heard any more.
      call.on('error', () => undefined);
      call.cancel();
    }
  }
}

function serializer(codec: AnyCodec): (message: unknown) => Buffer {
  return (message) => {
    const bytes = codec.encode(message).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function metadataOf({ metadata = {} }: CallOptions): Metadata {
  const result = new Metadata();
  for (const [key, value] of Object.entries(metadata)) {
    result.set(key, value);
  }
  return result;
}

function deadlineOf({ timeoutMs }: CallOptions): { deadline?: Deadline } {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function statusError(error: ServiceError): StatusError {
  const code = Object.values(StatusCode).find((known) => known === error.code) ?? StatusCode.unknown;
  return new StatusError(code, error.details || error.message, error);
}
