/**
 * Network devices of the host for the container (config-linux.md, "Network Devices"): moved into its network namespace, with their addresses, and up.
 *
 * The kernel takes the addresses from a device that moves. The permanent ones of global scope are given back to it; others (of DHCP, link-local ones)
 * mean something only where they were made.
 */

import { formatStep, joinPaths } from '../../../specs/json/json-path.ts';
import type { NetDevice } from '../../../specs/runtime/linux/devices.ts';
import { RuntimeError, SyscallError } from '../base/errors.ts';
import { EEXIST, ENODEV, errnoText, isErrno, syscallError } from '../linux/errno.ts';
import {
  addAddress,
  addressText,
  IFA_F_HOMEADDRESS,
  IFA_F_MANAGETEMPADDR,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  type Link,
  type LinkAddress,
  linkByName,
  listAddresses,
  listLinks,
  moveLink,
  RT_SCOPE_UNIVERSE,
  setLinkUp,
} from '../linux/netlink-route.ts';
import type { Sys } from '../sys/sys.ts';

/** One side of a move. */
export interface NetworkSide {
  /** NETLINK_ROUTE, of this network namespace. */
  readonly socket: number;
  /** The namespace itself. */
  readonly namespaceFd: number;
  /** For errors. */
  readonly name: string;
}

/** A device that was moved, for the way back. */
export interface MovedDevice {
  readonly hostName: string;
  /** The name it has now. */
  readonly name: string;
  /** Whether it was up before. */
  readonly wasUp: boolean;
  /** The permanent ones. */
  readonly addresses: readonly LinkAddress[];
}

const KEPT_FLAGS = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE;

/**
 * Moves a device from the host's side to the container's.
 * @param moved is told of the device before it moves, and again when it has its new name: the last that was said goes for `moveBack`
 * @throws RuntimeError 'net-device' in runc's words
 */
export function moveIntoContainer(
  sys: Sys,
  hostName: string,
  device: NetDevice,
  sides: { readonly host: NetworkSide; readonly container: NetworkSide },
  moved: (device: MovedDevice) => void,
): void {
  const { host, container } = sides;
  const attempt = attempts(netDevicePath(hostName));
  const link = attempt(`link not found for interface ${hostName} on runtime namespace`, () => linkByName(sys, host.socket, hostName));
  // Before it is down: with that the kernel takes the addresses of IPv6 away.
  const addresses = attempt('fail to get ip addresses', () => listAddresses(sys, host.socket, link).filter(isPermanent));
  const wish = device.name ?? hostName;
  const before = listLinks(sys, container.socket).map(({ name }) => name);
  const failure = `fail to move network device ${hostName} to network namespace ${container.name}`;
  attempt(failure, () => {
    // The kernel would find out when the device has been moved, and leave it there.
    if (before.includes(wish)) throw syscallError({ syscall: 'netlink', errno: EEXIST, object: wish });
  });
  attempt('fail to set link down', () => setLinkUp(sys, host.socket, link, false));
  // Should the move fail half-way: known by the name it has then.
  moved({ hostName, name: hostName, wasUp: link.up, addresses });
  attempt(failure, () => moveLink(sys, host.socket, link, { namespaceFd: container.namespaceFd, name: wish }));
  const inside = attempt(`link not found for interface ${wish} on namespace ${container.name}`, () => find(sys, container, wish, before));
  moved({ hostName, name: inside.name, wasUp: link.up, addresses });
  for (const address of addresses.filter(({ scope }) => scope === RT_SCOPE_UNIVERSE)) {
    attempt(`fail to set up address ${addressText(address)} on namespace ${container.name}`, () =>
      addAddress(sys, container.socket, inside, { ...address, flags: address.flags & KEPT_FLAGS }),
    );
  }
  attempt(`fail to set up interface ${inside.name} on namespace ${container.name}`, () => setLinkUp(sys, container.socket, inside, true));
}

/** Takes a device back to the host, as it was, wherever it is. */
export function moveBack(sys: Sys, device: MovedDevice, sides: { readonly host: NetworkSide; readonly container: NetworkSide }): void {
  const { host, container } = sides;
  const inside = listLinks(sys, container.socket).find(({ name }) => name === device.name);
  if (inside !== undefined) {
    setLinkUp(sys, container.socket, inside, false);
    moveLink(sys, container.socket, inside, { namespaceFd: host.namespaceFd, name: device.hostName });
  }
  const link = linkByName(sys, host.socket, device.hostName);
  if (device.wasUp) setLinkUp(sys, host.socket, link, true);
  restoreAddresses(sys, host, link, device.addresses);
}

function restoreAddresses(sys: Sys, side: NetworkSide, link: Link, addresses: readonly LinkAddress[]): void {
  for (const address of addresses) {
    try {
      addAddress(sys, side.socket, link, { ...address, flags: address.flags & KEPT_FLAGS });
    } catch (error) {
      // It has kept the address, or cannot have it again.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}

function isPermanent({ flags }: LinkAddress): boolean {
  return (flags & IFA_F_PERMANENT) !== 0;
}

/** By its name, or where the kernel made one of a template: the one that was not there before. */
function find(sys: Sys, side: NetworkSide, name: string, before: readonly string[]): Link {
  if (!name.includes('%d')) return linkByName(sys, side.socket, name);
  const link = listLinks(sys, side.socket).find((candidate) => !before.includes(candidate.name));
  if (link === undefined) throw syscallError({ syscall: 'netlink', errno: ENODEV, object: name });
  return link;
}

type Attempt = <T>(failure: string, action: () => T) => T;

function attempts(configPath: string): Attempt {
  return (failure, action) => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const hint = isErrno(error, EEXIST) ? 'give the device another name in the container' : undefined;
      throw new RuntimeError('net-device', `${failure}: ${errnoText(error.errno)}`, {
        configPath,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  };
}

/** `linux.netDevices.eth0` */
export function netDevicePath(hostName: string): string {
  return joinPaths('linux.netDevices', formatStep(hostName));
}
