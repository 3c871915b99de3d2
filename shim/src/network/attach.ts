/** A container in its networks: addresses and rules made when it starts, taken away when it ends. */

import type { Places } from '../container/places.ts';
import type { Endpoint, NetworkRequest, PortBinding } from '../container/record.ts';
import {
  addToNetwork,
  attachedNetworks,
  type Capabilities,
  type CniPlaces,
  type CniResult,
  type PortMapping,
  removeFromNetwork,
} from './cni-list.ts';
import type { PluginConfig } from './cni-plugin.ts';
import { isFirewalldRunning, makeHostRules } from './host-rules.ts';
import { bridgeOf, findNetwork, type Network } from './networks.ts';
import { addressesSettled } from './settled-address.ts';

export interface AttachOptions {
  readonly containerId: string;
  /** A process in the network namespace. */
  readonly pid: number;
  readonly networks: readonly NetworkRequest[];
  readonly ports: Readonly<Record<string, readonly PortBinding[]>>;
}

/** Plugins and the firewall's tables do not bear two at a time; all of a data root go through its one shim. */
let line: Promise<unknown> = Promise.resolve();

function inLine<T>(action: () => Promise<T>): Promise<T> {
  const result = line.then(action);
  line = result.catch(() => undefined);
  return result;
}

/** @throws ContainerError network; then it is in none */
export async function attachNetworks(places: Places, cni: CniPlaces, options: AttachOptions): Promise<Endpoint[]> {
  return await inLine(async () => {
    // What a killed shim left of the container's last run.
    await detachNow(cni, options.containerId, '');
    const endpoints: Endpoint[] = [];
    try {
      for (const [index, request] of options.networks.entries()) endpoints.push(await attachOne(places, cni, options, request, index));
      return endpoints;
    } catch (error) {
      await detachNow(cni, options.containerId, netnsOf(options.pid)).catch(() => undefined);
      throw error;
    }
  });
}

/** One more network for a running container. `index` names the interface. */
export async function attachAnother(places: Places, cni: CniPlaces, options: AttachOptions, index: number): Promise<Endpoint | undefined> {
  const [request] = options.networks;
  return request === undefined ? undefined : await inLine(() => attachOne(places, cni, options, request, index));
}

async function attachOne(
  places: Places,
  cni: CniPlaces,
  options: AttachOptions,
  request: NetworkRequest,
  index: number,
): Promise<Endpoint> {
  const network = findNetwork(places, request.name);
  // Ports are published once, on the first network.
  const ports = index === 0 ? portMappings(options.ports) : [];
  const ips = [request.ip, request.ip6].filter((ip) => ip !== undefined);
  const capabilities: Capabilities = {
    ...(ports.length === 0 ? {} : { portMappings: ports }),
    ...(ips.length === 0 ? {} : { ips }),
    ...(request.mac === undefined ? {} : { mac: request.mac }),
  };
  const interfaceName = `eth${index}`;
  const [result] = await Promise.all([
    addToNetwork(
      cni,
      { ...network.config, plugins: pluginsFor(network, ports.length > 0) },
      { containerId: options.containerId, netns: netnsOf(options.pid), interfaceName, capabilities },
    ),
    ensureHostRules(network),
  ]);
  // The bridge has its address with its first container.
  if (network.subnet6 !== undefined) await addressesSettled(bridgeOf(network));
  return endpointOf(network, interfaceName, result);
}

/** Of the network's list, which others may use as it is, what is left to do for one container where the network's own rules are there. */
function pluginsFor(network: Network, hasPorts: boolean): PluginConfig[] {
  const isNeeded: Readonly<Record<string, boolean>> = { portmap: hasPorts, firewall: isFirewalldRunning() };
  return network.config.plugins
    .filter(({ type }) => isNeeded[type] ?? true)
    .map((plugin) => (plugin.type === 'bridge' ? { ...plugin, ipMasq: false } : plugin));
}

/** Networks whose rules this process has made. */
const withRules = new Set<string>();

async function ensureHostRules(network: Network): Promise<void> {
  if (withRules.has(network.id)) return;
  await makeHostRules({
    bridge: bridgeOf(network),
    subnet: network.subnet,
    internal: network.internal,
    ...(network.subnet6 === undefined ? {} : { subnet6: network.subnet6 }),
  });
  withRules.add(network.id);
}

function portMappings(ports: AttachOptions['ports']): PortMapping[] {
  return Object.entries(ports).flatMap(([port, bindings]) => {
    const [number, protocol = 'tcp'] = port.split('/');
    // What comes over IPv6 is passed on by whoever holds the port, where the container has no address of that kind.
    const direct = bindings.filter(({ HostIp }) => !HostIp.includes(':'));
    return direct.map(({ HostIp, HostPort }) => ({
      hostPort: Number(HostPort),
      containerPort: Number(number),
      protocol,
      ...(HostIp === '0.0.0.0' ? {} : { hostIP: HostIp }),
    }));
  });
}

function endpointOf(network: Network, interfaceName: string, result: CniResult): Endpoint {
  const inside = result.interfaces?.findIndex(({ sandbox }) => sandbox !== undefined && sandbox !== '') ?? -1;
  const addresses = (result.ips ?? []).filter((ip) => ip.interface === undefined || ip.interface === inside);
  const [v4, v6] = [addresses.find(({ address }) => !address.includes(':')), addresses.find(({ address }) => address.includes(':'))];
  const [ipAddress = '', prefix = '0'] = (v4?.address ?? '').split('/');
  const [ipv6Address = '', prefix6 = '0'] = (v6?.address ?? '').split('/');
  return {
    network: network.name,
    networkId: network.id,
    interfaceName,
    ipAddress,
    prefixLength: Number(prefix),
    gateway: v4?.gateway ?? '',
    ipv6Address,
    ...(v6 === undefined ? {} : { ipv6PrefixLength: Number(prefix6), ipv6Gateway: v6.gateway ?? '' }),
    macAddress: result.interfaces?.[inside]?.mac ?? '',
  };
}

/**
 * Addresses and rules of a container that has ended. Nothing to do for one that has none. @throws ContainerError network
 * @param netns its namespace, kept open over its end; '' where nobody has kept it: then some plugins leave rules behind
 */
export async function detachNetworks(cni: CniPlaces, containerId: string, netns: string): Promise<void> {
  await inLine(() => detachNow(cni, containerId, netns));
}

async function detachNow(cni: CniPlaces, containerId: string, netns: string): Promise<void> {
  for (const network of attachedNetworks(cni, containerId)) await removeFromNetwork(cni, containerId, network, netns);
}

/** Takes a running container out of one of its networks. */
export async function detachOne(cni: CniPlaces, containerId: string, pid: number, network: Network): Promise<void> {
  await inLine(() => removeFromNetwork(cni, containerId, network.config.name, netnsOf(pid)));
}

function netnsOf(pid: number): string {
  return `/proc/${pid}/ns/net`;
}
