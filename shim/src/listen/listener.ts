/**
 * One unix socket for both protocols. The first byte of a connection tells them apart: HTTP/2 begins with "PRI", and a ttrpc frame with the highest byte
 * of a length, which is 0.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { ServiceTable } from '../base/service-table.ts';
import type { GrpcServer } from '../grpc/server.ts';
import { ServerConnection } from '../ttrpc/server-connection.ts';
import { peerOf } from './peer.ts';

const FIRST_BYTE_OF_HTTP2 = 'P'.charCodeAt(0);

export interface ListenerOptions {
  /** Connections of other users are closed; root's are served, since root may do everything anyway. */
  readonly uid: number;
  readonly log: (text: string) => void;
  /** Called for everyone who connects and is served. */
  readonly onConnection?: () => void;
}

export class Listener {
  readonly #sys: Sys;
  readonly #services: ServiceTable;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #grpc: Promise<GrpcServer> | undefined;

  constructor(sys: Sys, services: ServiceTable, options: ListenerOptions) {
    this.#sys = sys;
    this.#services = services;
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
    // Connections that cannot be accepted (no descriptors left) are the clients' loss; those that are there go on.
    this.#server.on('error', (error) => options.log(`the socket: ${error.message}`));
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** @param target a socket that listens already, whose descriptor is taken over, or a path (in a directory of mode 0700) to make one at */
  listen(target: { readonly fd: number } | { readonly path: string }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(target, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Stops listening and ends what is open. A path that `listen` made is removed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    (await this.#grpc)?.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    try {
      const { uid, pid } = peerOf(this.#sys, socket);
      if (uid !== this.#options.uid && uid !== 0) {
        this.#options.log(`refused a connection of user ${uid} (process ${pid})`);
        socket.destroy();
        return;
      }
    } catch {
      socket.destroy();
      return;
    }
    this.#options.onConnection?.();
    socket.once('readable', () => this.#serve(socket));
  }

  #serve(socket: Socket): void {
    const first: unknown = socket.read();
    if (!Buffer.isBuffer(first) || first.length === 0) {
      socket.destroy();
      return;
    }
    const isHttp2 = first[0] === FIRST_BYTE_OF_HTTP2;
    socket.unshift(first);
    if (isHttp2) {
      this.#serveGrpc(socket).catch((error: unknown) => {
        this.#options.log(`gRPC: ${error instanceof Error ? error.message : String(error)}`);
        socket.destroy();
      });
    } else {
      new ServerConnection(socket, this.#services);
    }
  }

  /** Loaded when the first client speaks it: containerd does not, and it takes memory. */
  async #serveGrpc(socket: Socket): Promise<void> {
    this.#grpc ??= import('../grpc/server.ts').then(({ createGrpcServer }) => createGrpcServer(this.#services));
    (await this.#grpc).serve(socket);
  }
}
