/** Ports of the host for containers: found, checked, and held, so that no program of the host takes one while a container has it. */

import { readFileSync } from 'node:fs';
import { ContainerError } from '../container/errors.ts';
import { hasErrorCode } from '../container/files.ts';
import type { HostConfig, PortBinding, RunConfig } from '../container/record.ts';
import { type HeldSocket, holdTcp, holdUdp, isV6 } from './held-socket.ts';
import { comparePorts } from './port-spec.ts';

export interface HeldPorts {
  /** With every host port filled in. */
  readonly ports: Record<string, PortBinding[]>;
  /** What comes over IPv6 is passed on to the container, whose address on the first network this is. */
  forwardTo(address: string): void;
  release(): void;
}

/** What is to be published: what `-p` says, and with `-P` every exposed port that it does not. */
export function wantedPorts(
  run: Pick<RunConfig, 'ExposedPorts'>,
  host: Pick<HostConfig, 'PortBindings' | 'PublishAllPorts'>,
): Record<string, PortBinding[]> {
  const all = host.PublishAllPorts ? Object.keys(run.ExposedPorts ?? {}) : [];
  const exposed = all
    .filter((port) => host.PortBindings[port] === undefined)
    .map((port): [string, PortBinding[]] => [port, [{ HostIp: '', HostPort: '' }]]);
  return Object.fromEntries([...Object.entries(host.PortBindings), ...exposed].sort(([a], [b]) => comparePorts(a, b)));
}

/** What docker listens on where nothing is said. */
const EVERYWHERE = ['0.0.0.0', '::'];

/**
 * Holds a host port for each binding; one for no address in particular becomes one for each kind of address that this machine has. `before` are the ports of the last
 * start, which are taken again where they are free.
 * @throws ContainerError port; then none is held
 */
export async function holdPorts(
  wanted: Readonly<Record<string, readonly PortBinding[]>>,
  before: Readonly<Record<string, readonly PortBinding[]>>,
): Promise<HeldPorts> {
  const held: { readonly containerPort: number; readonly socket: HeldSocket }[] = [];
  const release = () => {
    for (const { socket } of held.splice(0)) socket.release();
  };
  const ports: Record<string, PortBinding[]> = {};
  try {
    for (const [port, bindings] of Object.entries(wanted)) {
      const found: PortBinding[] = [];
      ports[port] = found;
      const last = [...(before[port] ?? [])];
      for (const binding of bindings) {
        const addresses = binding.HostIp === '' ? EVERYWHERE : [binding.HostIp];
        const again = takeFirst(last, (one) => one.HostIp === addresses[0])?.HostPort;
        const { hostPort, sockets } = await holdOne(port, addresses, binding.HostPort, again);
        for (const { address, socket } of sockets) {
          held.push({ containerPort: Number(port.split('/')[0]), socket });
          found.push({ HostIp: address, HostPort: String(hostPort) });
        }
      }
    }
    return {
      ports,
      forwardTo: (address) => {
        for (const { containerPort, socket } of held) socket.forwardTo(address, containerPort);
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

function takeFirst<T>(list: T[], test: (one: T) => boolean): T | undefined {
  const index = list.findIndex(test);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

interface HeldPort {
  readonly hostPort: number;
  readonly sockets: readonly { readonly address: string; readonly socket: HeldSocket }[];
}

/** @param wanted `80`, `8000-8010`, or '' for any */
async function holdOne(port: string, addresses: readonly string[], wanted: string, before: string | undefined): Promise<HeldPort> {
  const protocol = port.split('/')[1] ?? 'tcp';
  const [first = '', last = first] = wanted.split('-');
  if (first !== '' && first === last) {
    const sockets = await tryHold(protocol, addresses, Number(first));
    if (sockets !== undefined) return { hostPort: Number(first), sockets };
    throw new ContainerError('port', `Bind for ${addresses[0]}:${first} failed: port is already allocated`, {
      hint: 'Something listens there already, or another container has published it: choose another port of the host.',
    });
  }
  for (const candidate of candidates(first, last, before)) {
    const sockets = await tryHold(protocol, addresses, candidate);
    if (sockets !== undefined) return { hostPort: candidate, sockets };
  }
  throw new ContainerError(
    'port',
    first === '' ? 'no port of the host is free' : `Bind for ${addresses[0]}:${wanted} failed: all ports are allocated`,
  );
}

/** The next one to try, over all containers of this process: as docker, which goes on from the last port it gave. */
let nextPort = 0;

function* candidates(first: string, last: string, before: string | undefined): Generator<number> {
  if (before !== undefined && before !== '') yield Number(before);
  const [low, high] = first === '' ? ephemeralRange() : [Number(first), Number(last)];
  const start = first === '' && nextPort >= low && nextPort <= high ? nextPort : low;
  for (let offset = 0; offset <= high - low; offset += 1) {
    const port = low + ((start - low + offset) % (high - low + 1));
    if (first === '') nextPort = port + 1;
    yield port;
  }
}

/** ip(7), ip_local_port_range. */
function ephemeralRange(): [number, number] {
  try {
    const [low = 49153, high = 65535] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
    return [low, high];
  } catch {
    return [49153, 65535];
  }
}

/**
 * The port on all of the addresses. Undefined where it is taken.
 * @throws ContainerError port for an address that is not this machine's, or a port that may not be had
 */
async function tryHold(protocol: string, addresses: readonly string[], port: number): Promise<HeldPort['sockets'] | undefined> {
  const sockets: { address: string; socket: HeldSocket }[] = [];
  for (const address of addresses) {
    try {
      sockets.push({ address, socket: await hold(protocol, address, port) });
    } catch (error) {
      // A machine without IPv6 has no such addresses; whoever asks for one by name is told.
      if (isV6(address) && addresses.length > 1 && (hasErrorCode(error, 'EAFNOSUPPORT') || hasErrorCode(error, 'EADDRNOTAVAIL'))) continue;
      for (const { socket } of sockets) socket.release();
      if (hasErrorCode(error, 'EADDRINUSE')) return undefined;
      const reason = hasErrorCode(error, 'EADDRNOTAVAIL') ? 'cannot assign requested address' : 'permission denied';
      throw new ContainerError('port', `Bind for ${address}:${port} failed: ${reason}`, { cause: error });
    }
  }
  return sockets;
}

/** Node has no sctp: its port is as free as the kernel finds it. */
const NOT_HELD: HeldSocket = { forwardTo: () => undefined, release: () => undefined };

async function hold(protocol: string, address: string, port: number): Promise<HeldSocket> {
  if (protocol === 'udp') return await holdUdp(address, port);
  return protocol === 'tcp' ? await holdTcp(address, port) : NOT_HELD;
}
