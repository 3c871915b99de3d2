/** `-p` and `--expose`: docker's grammar `[[ip:][hostPort]:]containerPort[/protocol]`, with ranges on both sides. */

import { invalid } from '../container/errors.ts';
import type { PortBinding } from '../container/record.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface PublishedPort {
  /** `80/tcp`. */
  readonly port: string;
  readonly binding: PortBinding;
}

const PROTOCOLS: readonly string[] = ['tcp', 'udp', 'sctp'];

/** @throws ContainerError invalid, in docker's words */
export function parsePublish(text: string): PublishedPort[] {
  const { address, host, container, protocol } = split(text);
  const containerRange = range(container);
  if (containerRange === undefined) throw invalid(`Invalid containerPort: ${container}`);
  const hostRange = host === '' ? undefined : range(host);
  if (host !== '' && hostRange === undefined) throw invalid(`Invalid hostPort: ${host}`);
  const count = containerRange.end - containerRange.start + 1;
  const hostCount = hostRange === undefined ? count : hostRange.end - hostRange.start + 1;
  // A range for one port means: any free one of these.
  if (hostCount !== count && count !== 1) throw invalid(`Invalid ranges specified for container and host Ports: ${container} and ${host}`);
  return Array.from({ length: count }, (_, index) => ({
    port: `${containerRange.start + index}/${protocol}`,
    binding: { HostIp: address, HostPort: hostPort(hostRange, hostCount === count ? index : undefined) },
  }));
}

function hostPort(hostRange: PortRange | undefined, index: number | undefined): string {
  if (hostRange === undefined) return '';
  return index === undefined ? `${hostRange.start}-${hostRange.end}` : String(hostRange.start + index);
}

/** `80`, `80/udp`, `8000-8010/tcp`: one text a port. @throws ContainerError invalid */
export function parseExpose(text: string): string[] {
  const [ports = '', protocol = 'tcp'] = text.split('/');
  const found = range(ports);
  if (found === undefined || !PROTOCOLS.includes(protocol.toLowerCase()) || text.split('/').length > 2) {
    throw invalid(`invalid port format for --expose: ${text}`);
  }
  return Array.from({ length: found.end - found.start + 1 }, (_, index) => `${found.start + index}/${protocol.toLowerCase()}`);
}

interface SplitPublish {
  readonly address: string;
  readonly host: string;
  readonly container: string;
  readonly protocol: string;
}

function split(text: string): SplitPublish {
  const slash = text.lastIndexOf('/');
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase();
  if (!PROTOCOLS.includes(protocol)) throw invalid(`Invalid proto: ${protocol}`);
  const rest = slash < 0 ? text : text.slice(0, slash);
  const lastColon = rest.lastIndexOf(':');
  const container = rest.slice(lastColon + 1);
  if (container === '') throw invalid(`No port specified: ${text}<empty>`);
  if (lastColon < 0) return { address: '', host: '', container, protocol };
  const before = rest.slice(0, lastColon);
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(before);
  if (bracket !== null) return { address: checkedAddress(bracket[1] ?? '', text), host: bracket[2] ?? '', container, protocol };
  const colon = before.lastIndexOf(':');
  const isAddressOnly = colon < 0 && before.includes('.');
  if (isAddressOnly) return { address: checkedAddress(before, text), host: '', container, protocol };
  const address = colon < 0 ? '' : checkedAddress(before.slice(0, colon), text);
  return { address, host: before.slice(colon + 1), container, protocol };
}

function checkedAddress(address: string, text: string): string {
  const isV4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(address) && address.split('.').every((part) => Number(part) <= 255);
  if (!isV4 && !/^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(address)) throw invalid(`Invalid ip address: ${address === '' ? text : address}`);
  return address;
}

interface PortRange {
  readonly start: number;
  readonly end: number;
}

function range(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === undefined ? start : Number(match[2]);
  return start > 65535 || end > 65535 || end < start || start === 0 ? undefined : { start, end };
}

/** Sorts `80/tcp` texts by number, then protocol. */
export function comparePorts(a: string, b: string): number {
  const [numberA = '', protocolA = ''] = a.split('/');
  const [numberB = '', protocolB = ''] = b.split('/');
  return Number(numberA) - Number(numberB) || Number(protocolA > protocolB) - Number(protocolA < protocolB);
}
