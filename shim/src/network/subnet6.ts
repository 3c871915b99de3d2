/** IPv6 subnets of networks (RFC 4291, RFC 4193). */

import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { invalid } from '../container/errors.ts';

export interface Subnet6 {
  readonly cidr: string;
  readonly gateway: string;
}

const BITS = 128;
const GROUPS = 8;

/** @param gateway the first address where none is given. @throws ContainerError invalid */
export function subnet6Of(text: string, gateway?: string): Subnet6 {
  const { first, bits } = parseCidr6(text);
  if (bits > 126) throw invalid(`subnet ${text} is too small for a network`);
  if (gateway !== undefined && !isInSubnet6(gateway, text)) throw invalid(`gateway ${gateway} is not in subnet ${text}`);
  return { cidr: `${formatAddress6(first)}/${bits}`, gateway: gateway ?? formatAddress6(first + 1n) };
}

/** Of a network that has been given none: a /64 of its own among the local ones, the same each time for one name. */
export function localSubnet6(name: string): Subnet6 {
  const hex = createHash('sha256').update(name).digest('hex');
  return subnet6Of(`fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/64`);
}

export function isInSubnet6(address: string, subnet: string): boolean {
  if (!isIPv6(address)) return false;
  const { first, bits } = parseCidr6(subnet);
  const shift = BigInt(BITS - bits);
  return parseAddress6(address) >> shift === first >> shift;
}

function parseCidr6(text: string): { readonly first: bigint; readonly bits: number } {
  const [address = '', bitsText = ''] = text.split('/');
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : BITS + 1;
  if (!isIPv6(address) || address.includes('%') || bits > BITS)
    throw invalid(`invalid subnet ${text}: give an IPv6 range such as fd00:1::/64`);
  const shift = BigInt(BITS - bits);
  return { first: (parseAddress6(address) >> shift) << shift, bits };
}

/** Of a valid address. Its last 32 bits may be written as those of IPv4. */
function parseAddress6(text: string): bigint {
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/** As RFC 5952 writes it: the longest run of zeros is left out. */
function formatAddress6(number: bigint): string {
  const groups = Array.from({ length: GROUPS }, (_, index) => ((number >> BigInt((GROUPS - 1 - index) * 16)) & 0xffffn).toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.sort((a, b) => b.replaceAll(':', '').length - a.replaceAll(':', '').length)[0];
  if (longest === undefined) return text;
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}
