/** Ports of the host for containers: found, checked, and held, so that no program of the host takes one while a container has it. */

import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ContainerError } from '../container/errors.ts';
import { hasErrorCode } from '../container/files.ts';
import type { HostConfig, PortBinding, RunConfig } from '../container/record.ts';
import { comparePorts } from './port-spec.ts';

/** Ends the hold. */
type Release = () => void;

export interface HeldPorts {
  /** With every host port filled in. */
  readonly ports: Record<string, PortBinding[]>;
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

/**
 * Holds a host port for each binding. `before` are the ports of the last start, which are taken again where they are free.
 * @throws ContainerError port; then none is held
 */
export async function holdPorts(
  wanted: Readonly<Record<string, readonly PortBinding[]>>,
  before: Readonly<Record<string, readonly PortBinding[]>>,
): Promise<HeldPorts> {
  const releases: Release[] = [];
  const release = () => {
    for (const one of releases.splice(0)) one();
  };
  const ports: Record<string, PortBinding[]> = {};
  try {
    for (const [port, bindings] of Object.entries(wanted)) {
      ports[port] = [];
      for (const [index, binding] of bindings.entries()) {
        const held = await holdOne(port, binding, before[port]?.[index]?.HostPort);
        releases.push(held.release);
        ports[port].push({ HostIp: binding.HostIp === '' ? '0.0.0.0' : binding.HostIp, HostPort: String(held.hostPort) });
      }
    }
    return { ports, release };
  } catch (error) {
    release();
    throw error;
  }
}

interface HeldPort {
  readonly hostPort: number;
  readonly release: Release;
}

async function holdOne(port: string, binding: PortBinding, before: string | undefined): Promise<HeldPort> {
  const protocol = port.split('/')[1] ?? 'tcp';
  const address = binding.HostIp === '' ? '0.0.0.0' : binding.HostIp;
  const [first = '', last = first] = binding.HostPort.split('-');
  if (first !== '' && first === last) {
    const release = await tryHold(protocol, address, Number(first));
    if (release !== undefined) return { hostPort: Number(first), release };
    throw new ContainerError('port', `Bind for ${address}:${first} failed: port is already allocated`, {
      hint: 'Something listens there already, or another container has published it: choose another port of the host.',
    });
  }
  for (const candidate of candidates(first, last, before)) {
    const release = await tryHold(protocol, address, candidate);
    if (release !== undefined) return { hostPort: candidate, release };
  }
  throw new ContainerError(
    'port',
    first === '' ? 'no port of the host is free' : `Bind for ${address}:${binding.HostPort} failed: all ports are allocated`,
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

/** Undefined where the port is taken. @throws ContainerError port for an address that is not this machine's, or a port that may not be had */
async function tryHold(protocol: string, address: string, port: number): Promise<Release | undefined> {
  try {
    if (protocol === 'udp') return await holdUdp(address, port);
    // Node has no sctp: its port is as free as the kernel finds it.
    return protocol === 'tcp' ? await holdTcp(address, port) : () => undefined;
  } catch (error) {
    if (hasErrorCode(error, 'EADDRINUSE')) return undefined;
    const reason = hasErrorCode(error, 'EADDRNOTAVAIL') ? 'cannot assign requested address' : 'permission denied';
    throw new ContainerError('port', `Bind for ${address}:${port} failed: ${reason}`, { cause: error });
  }
}

/** Traffic for the container never comes here: the firewall sends it on before. Whoever gets through all the same is turned away. */
function holdTcp(host: string, port: number): Promise<Release> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

function holdUdp(address: string, port: number): Promise<Release> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.unref();
      resolve(() => socket.close());
    });
  });
}
