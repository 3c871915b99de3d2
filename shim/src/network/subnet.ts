/** IPv4 subnets as numbers: choosing one that collides with nothing the host can reach. */

import { readFileSync } from 'node:fs';
import { ContainerError, invalid } from '../container/errors.ts';

export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
  /** The first and last address that a container may get. */
  readonly first: string;
  readonly last: string;
}

export interface SubnetQuestion {
  /** Of our other networks. */
  readonly used: readonly string[];
  readonly wanted?: string;
  readonly gateway?: string;
  /** Text of /proc/net/route. */
  readonly routes?: string;
}

/** 10.89.0.0/24 and on: neither docker's nor podman's own default. */
const POOL_FIRST = 89;
const POOL_LAST = 99;

/** @throws ContainerError invalid, network when the pool is used up */
export function chooseSubnet(question: SubnetQuestion): Subnet {
  const { wanted, gateway } = question;
  if (wanted !== undefined) return subnetOf(wanted, gateway);
  const taken = [...question.used.map(parseCidr), ...routesOf(question.routes ?? readFileSync('/proc/net/route', 'utf8'))];
  for (let second = POOL_FIRST; second <= POOL_LAST; second += 1) {
    for (let third = 0; third < 256; third += 1) {
      const candidate = parseCidr(`10.${second}.${third}.0/24`);
      if (!taken.some((one) => overlaps(one, candidate))) return subnetOf(`10.${second}.${third}.0/24`, gateway);
    }
  }
  throw new ContainerError('network', 'no subnet is left in 10.89.0.0/16 to 10.99.0.0/16', { hint: 'Give one: --subnet 192.168.50.0/24.' });
}

function subnetOf(text: string, gateway: string | undefined): Subnet {
  const range = parseCidr(text);
  if (range.last - range.first < 3) throw invalid(`subnet ${text} is too small for a network`);
  const gatewayNumber = gateway === undefined ? range.first + 1 : parseAddress(gateway);
  if (gatewayNumber === undefined || gatewayNumber <= range.first || gatewayNumber >= range.last) {
    throw invalid(`gateway ${gateway ?? ''} is not in subnet ${text}`);
  }
  return {
    cidr: `${formatAddress(range.first)}/${range.bits}`,
    gateway: formatAddress(gatewayNumber),
    first: formatAddress(range.first + 1),
    last: formatAddress(range.last - 1),
  };
}

interface AddressRange {
  readonly first: number;
  readonly last: number;
  readonly bits: number;
}

function parseCidr(text: string): AddressRange {
  const [address = '', bitsText = ''] = text.split('/');
  const number = parseAddress(address);
  const bits = /^\d{1,2}$/.test(bitsText) ? Number(bitsText) : 33;
  if (number === undefined || bits > 32) throw invalid(`invalid subnet ${text}: give an IPv4 range such as 10.20.0.0/24`);
  const size = 2 ** (32 - bits);
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1, bits };
}

function parseAddress(text: string): number | undefined {
  const parts = text.split('.').map(Number);
  const isValid = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && parts.every((part) => part <= 255);
  return isValid ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
}

function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** /proc/net/route: little-endian hexadecimal. The default route is no range. */
function routesOf(text: string): AddressRange[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.split('\t');
      const [destination, mask] = [littleEndian(fields[1] ?? ''), littleEndian(fields[7] ?? '')];
      if (destination === undefined || mask === undefined || mask === 0) return [];
      const size = 2 ** 32 - mask;
      return [{ first: destination, last: destination + size - 1, bits: 32 - Math.log2(size) }];
    });
}

function littleEndian(text: string): number | undefined {
  const bytes = text.match(/../g);
  return bytes?.length === 4 ? Number.parseInt(bytes.reverse().join(''), 16) : undefined;
}
