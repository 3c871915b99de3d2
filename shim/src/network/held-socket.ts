/**
 * A port of the host, held by a socket of this process. IPv4 traffic for a container never comes here, since the firewall sends it on before; what comes over IPv6, which
 * containers do not have, is passed on from here.
 */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';

export interface HeldSocket {
  /** From now on what comes is passed on. Until then it is turned away. */
  forwardTo(address: string, port: number): void;
  release(): void;
}

interface Target {
  readonly address: string;
  readonly port: number;
}

export function isV6(address: string): boolean {
  return address.includes(':');
}

/** @throws Error of bind(2), with its code */
export function holdTcp(host: string, port: number): Promise<HeldSocket> {
  let target: Target | undefined;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (target === undefined) {
      client.destroy();
      return;
    }
    const inner = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      open.add(one);
      one.unref();
      one.on('error', () => other.destroy());
      one.on('close', () => open.delete(one));
      one.pipe(other);
    }
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: isV6(host) }, () => {
      server.unref();
      resolve({
        forwardTo: (address, to) => {
          target = { address, port: to };
        },
        release: () => {
          server.close();
          for (const socket of open) socket.destroy();
        },
      });
    });
  });
}

/** A client that has said nothing for so long is somebody new. */
const UDP_IDLE_MS = 90_000;

/** @throws Error of bind(2), with its code */
export function holdUdp(address: string, port: number): Promise<HeldSocket> {
  const outer = createSocket({ type: isV6(address) ? 'udp6' : 'udp4', ipv6Only: isV6(address) });
  const clients = new Map<string, UdpClient>();
  let target: Target | undefined;
  outer.on('message', (data, { address: from, port: fromPort }) => {
    if (target === undefined) return;
    const name = `${from} ${fromPort}`;
    let client = clients.get(name);
    if (client === undefined) {
      client = new UdpClient(target, {
        answer: (reply) => outer.send(reply, fromPort, from),
        end: () => clients.delete(name),
      });
      clients.set(name, client);
    }
    client.send(data);
  });
  return new Promise((resolve, reject) => {
    outer.on('error', reject);
    outer.bind({ address, port, exclusive: true }, () => {
      outer.unref();
      resolve({
        forwardTo: (to, toPort) => {
          target = { address: to, port: toPort };
        },
        release: () => {
          outer.close();
          for (const client of clients.values()) client.close();
        },
      });
    });
  });
}

class UdpClient {
  readonly #socket: UdpSocket;
  readonly #target: Target;
  readonly #timer: NodeJS.Timeout;

  constructor(target: Target, events: { readonly answer: (data: Uint8Array) => void; readonly end: () => void }) {
    this.#target = target;
    this.#socket = createSocket(isV6(target.address) ? 'udp6' : 'udp4');
    this.#socket.unref();
    this.#timer = setTimeout(() => {
      events.end();
      this.close();
    }, UDP_IDLE_MS);
    this.#timer.unref();
    this.#socket.on('message', (data) => {
      this.#timer.refresh();
      events.answer(data);
    });
    // Nobody listens in the container: as with UDP without a proxy, nothing comes back.
    this.#socket.on('error', () => undefined);
  }

  send(data: Uint8Array): void {
    this.#timer.refresh();
    this.#socket.send(data, this.#target.port, this.#target.address);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.close();
  }
}
