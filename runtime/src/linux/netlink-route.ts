/** Network devices and their addresses by rtnetlink(7). Every function takes a socket, whose network namespace is the one it acts on. */
import type { Sys } from '../sys/sys.ts';
import { ENODEV, syscallError } from './errno.ts';
import {
  type Attribute,
  decodeAttributes,
  encodePayload,
  exchange,
  type Message,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  nulTerminated,
  textOf,
  uint32Value,
} from './netlink.ts';
import { IFF_UP } from './prctl.ts';
import { AF_INET } from './sockets.ts';

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;

const IFLA_IFNAME = 3;
const IFLA_NET_NS_FD = 28;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;

export const IFA_F_NODAD = 0x02;
export const IFA_F_HOMEADDRESS = 0x10;
export const IFA_F_PERMANENT = 0x80;
export const IFA_F_MANAGETEMPADDR = 0x100;
export const IFA_F_NOPREFIXROUTE = 0x200;
export const RT_SCOPE_UNIVERSE = 0;

/** `struct ifinfomsg` and `struct ifaddrmsg`. */
const LINK_BYTES = 16;
const ADDRESS_BYTES = 8;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
}

export interface LinkAddress {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly prefixLength: number;
  /** RT_SCOPE_… */
  readonly scope: number;
  /** IFA_F_… */
  readonly flags: number;
  readonly linkIndex: number;
  /** The other end's, on a link that has one; otherwise the same as `local`. */
  readonly address: ArrayBuffer;
  readonly local: ArrayBuffer | undefined;
  readonly broadcast: ArrayBuffer | undefined;
}

function linkStructure(index: number, flags = 0, changed = 0): ArrayBuffer {
  const structure = new ArrayBuffer(LINK_BYTES);
  const view = new DataView(structure);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, changed, true);
  return structure;
}

export function decodeLink(sys: Sys, { payload }: Message): Link {
  const view = new DataView(payload);
  const name = decodeAttributes(payload, LINK_BYTES).get(IFLA_IFNAME) ?? new ArrayBuffer(0);
  return { index: view.getInt32(4, true), name: textOf(sys, name), up: (view.getUint32(8, true) & IFF_UP) !== 0 };
}

/** @throws SyscallError ENODEV when there is none */
export function linkByName(sys: Sys, socket: number, name: string): Link {
  const payload = encodePayload(linkStructure(0), [[IFLA_IFNAME, nulTerminated(sys, name)]]);
  const [answer] = exchange(sys, socket, { type: RTM_GETLINK, payload }, name).filter(({ type }) => type === RTM_NEWLINK);
  if (answer === undefined) throw syscallError({ syscall: 'netlink', errno: ENODEV, object: name });
  return decodeLink(sys, answer);
}

export function listLinks(sys: Sys, socket: number): Link[] {
  const answers = exchange(sys, socket, { type: RTM_GETLINK, flags: NLM_F_DUMP, payload: linkStructure(0) }, 'network devices');
  return answers.filter(({ type }) => type === RTM_NEWLINK).map((answer) => decodeLink(sys, answer));
}

export function setLinkUp(sys: Sys, socket: number, link: Link, up: boolean): void {
  exchange(sys, socket, { type: RTM_NEWLINK, payload: linkStructure(link.index, up ? IFF_UP : 0, IFF_UP) }, link.name);
}

export interface LinkMove {
  /** Descriptor of the network namespace to move to. */
  readonly namespaceFd: number;
  /** The device's name there. The kernel puts a number in the place of `%d`. */
  readonly name: string;
}

/** Moves and renames in one request, so that a name that is taken on either side is in nobody's way. */
export function moveLink(sys: Sys, socket: number, link: Link, { namespaceFd, name }: LinkMove): void {
  const attributes: Attribute[] = [
    [IFLA_IFNAME, nulTerminated(sys, name)],
    [IFLA_NET_NS_FD, uint32Value(namespaceFd)],
  ];
  exchange(sys, socket, { type: RTM_NEWLINK, payload: encodePayload(linkStructure(link.index), attributes) }, link.name);
}

export function decodeAddress({ payload }: Message): LinkAddress {
  const view = new DataView(payload);
  const attributes = decodeAttributes(payload, ADDRESS_BYTES);
  const flags = attributes.get(IFA_FLAGS);
  return {
    family: view.getUint8(0),
    prefixLength: view.getUint8(1),
    scope: view.getUint8(3),
    // The attribute has more bits than the structure.
    flags: flags === undefined ? view.getUint8(2) : new DataView(flags).getUint32(0, true),
    linkIndex: view.getUint32(4, true),
    address: attributes.get(IFA_ADDRESS) ?? new ArrayBuffer(0),
    local: attributes.get(IFA_LOCAL),
    broadcast: attributes.get(IFA_BROADCAST),
  };
}

export function listAddresses(sys: Sys, socket: number, link: Link): LinkAddress[] {
  const answers = exchange(sys, socket, { type: RTM_GETADDR, flags: NLM_F_DUMP, payload: new ArrayBuffer(ADDRESS_BYTES) }, link.name);
  return answers
    .filter(({ type }) => type === RTM_NEWADDR)
    .map(decodeAddress)
    .filter(({ linkIndex }) => linkIndex === link.index);
}

/** Gives an address like this one to a device, which may be another. */
export function addAddress(sys: Sys, socket: number, link: Link, address: LinkAddress): void {
  const structure = new ArrayBuffer(ADDRESS_BYTES);
  const view = new DataView(structure);
  view.setUint8(0, address.family);
  view.setUint8(1, address.prefixLength);
  view.setUint8(3, address.scope);
  view.setUint32(4, link.index, true);
  const attributes: Attribute[] = [
    [IFA_ADDRESS, address.address],
    ...(address.local === undefined ? [] : [[IFA_LOCAL, address.local] as const]),
    ...(address.broadcast === undefined ? [] : [[IFA_BROADCAST, address.broadcast] as const]),
    [IFA_FLAGS, uint32Value(address.flags)],
  ];
  const payload = encodePayload(structure, attributes);
  exchange(sys, socket, { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, payload }, addressText(address));
}

/** `192.0.2.1/24`, `2001:db8:0:0:0:0:0:1/64` */
export function addressText({ family, prefixLength, local, address }: LinkAddress): string {
  const view = new DataView(local ?? address);
  const text =
    family === AF_INET
      ? Array.from({ length: 4 }, (_, index) => view.getUint8(index)).join('.')
      : Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16)).join(':');
  return `${text}/${prefixLength}`;
}
