/**
 * Networks as CNI configuration lists on disk, one file each, with two keys of our own: the network's id and its labels. The default network is
 * always there; its file is made when it is first needed.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerError, invalid } from '../container/errors.ts';
import { isMissing, readText, replaceText } from '../container/files.ts';
import { newId } from '../container/new-id.ts';
import type { Places } from '../container/places.ts';
import type { CniPlaces, NetworkConfig } from './cni-list.ts';
import type { PluginConfig } from './cni-plugin.ts';
import { BRIDGE_PREFIX } from './host-rules.ts';
import { chooseSubnet, type Subnet } from './subnet.ts';
import { isInSubnet6, localSubnet6, type Subnet6, subnet6Of } from './subnet6.ts';

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly subnet: string;
  readonly gateway: string;
  /** Of networks that have IPv6 as well. */
  readonly subnet6?: string;
  readonly gateway6?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly config: NetworkConfig;
}

interface NetworkFile extends NetworkConfig {
  readonly tsctl: Omit<Network, 'config' | 'name'>;
}

export const DEFAULT_NETWORK = 'bridge';
/** Modes that are no network of ours. */
export const BUILT_IN = ['host', 'none'] as const;

const CNI_VERSION = '1.0.0';
const DEFAULT_PLUGIN_PATH = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

export function cniPlaces(places: Places, env: Readonly<Record<string, string | undefined>>): CniPlaces {
  const path = env['CNI_PATH'];
  return {
    cache: join(places.networks, 'state', 'attached'),
    pluginPath: path === undefined || path === '' ? DEFAULT_PLUGIN_PATH : path.split(':'),
  };
}

export function listNetworks(places: Places): Network[] {
  const names = fileNames(places)
    .filter((name) => name.endsWith('.conflist'))
    .map((name) => name.slice(0, -'.conflist'.length));
  const found = names.flatMap((name) => readNetwork(places, name) ?? []);
  return found.sort((a, b) => Number(a.name > b.name) - Number(a.name < b.name));
}

function fileNames(places: Places): string[] {
  try {
    return readdirSync(places.networks);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readNetwork(places: Places, name: string): Network | undefined {
  if (!isNetworkName(name)) return undefined;
  const text = readText(join(places.networks, `${name}.conflist`));
  if (text === undefined) return undefined;
  const { tsctl, ...config } = JSON.parse(text) as NetworkFile;
  return { ...tsctl, name, config };
}

function isNetworkName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text);
}

/** By name, id, or the beginning of one id. The default network is made here. @throws ContainerError no-such-network */
export function findNetwork(places: Places, text: string): Network {
  const named = readNetwork(places, text === 'default' ? DEFAULT_NETWORK : text);
  if (named !== undefined) return named;
  if (text === DEFAULT_NETWORK || text === 'default') return createNetwork(places, { name: DEFAULT_NETWORK });
  const matches = listNetworks(places).filter(({ id }) => /^[a-f0-9]+$/.test(text) && id.startsWith(text));
  if (matches[0] === undefined || matches.length > 1) {
    throw new ContainerError('no-such-network', `network ${text} not found`, { hint: 'tsctl network ls lists what is there.' });
  }
  return matches[0];
}

export interface NetworkOptions {
  readonly name: string;
  readonly driver?: string;
  /** One of IPv4, one of IPv6. */
  readonly subnets?: readonly string[];
  readonly gateways?: readonly string[];
  readonly ipv6?: boolean;
  readonly ipRange?: string;
  readonly internal?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** @throws ContainerError conflict, invalid, unsupported */
export function createNetwork(places: Places, options: NetworkOptions): Network {
  const { name, driver = 'bridge', internal = false } = options;
  if (!isNetworkName(name) || name === 'default' || (BUILT_IN as readonly string[]).includes(name)) {
    throw invalid(`invalid network name ${JSON.stringify(name)}`);
  }
  if (driver !== 'bridge') {
    throw new ContainerError('unsupported', `network driver ${JSON.stringify(driver)} is not supported`, { hint: 'There is bridge.' });
  }
  if (readNetwork(places, name) !== undefined) throw new ContainerError('conflict', `network with name ${name} already exists`);
  mkdirSync(places.networks, { recursive: true });
  const [wanted, wanted6] = eachKind('subnet', options.subnets ?? []);
  const [gateway, gateway6] = eachKind('gateway', options.gateways ?? []);
  const subnet = chooseSubnet({
    used: listNetworks(places).map((one) => one.subnet),
    ...(wanted === undefined ? {} : { wanted }),
    ...(gateway === undefined ? {} : { gateway }),
  });
  const subnet6 = subnet6For(places, options, wanted6, gateway6);
  const network: Network = {
    id: newId(),
    name,
    created: new Date().toISOString(),
    driver,
    internal,
    subnet: subnet.cidr,
    gateway: subnet.gateway,
    ...(subnet6 === undefined ? {} : { subnet6: subnet6.cidr, gateway6: subnet6.gateway }),
    labels: options.labels ?? {},
    options: options.options ?? {},
    config: { cniVersion: CNI_VERSION, name: cniName(places, name), plugins: pluginsOf(places, options, subnet, subnet6) },
  };
  const { config, name: _, ...tsctl } = network;
  replaceText(join(places.networks, `${name}.conflist`), `${JSON.stringify({ ...config, tsctl }, undefined, 2)}\n`);
  return network;
}

/** The interface on the host that the network's containers hang on. */
export function bridgeOf(network: Network): string {
  const bridge = network.config.plugins.find(({ type }) => type === 'bridge')?.['bridge'];
  if (typeof bridge !== 'string') throw new ContainerError('network', `the list of network ${network.name} has no bridge`);
  return bridge;
}

export function removeNetworkFile(places: Places, network: Network): void {
  rmSync(join(places.networks, `${network.name}.conflist`), { force: true });
}

/** Plugins name chains of the firewall after the network: those of another root are other networks. */
function cniName(places: Places, name: string): string {
  return `tsctl-${digestOf(places.root).slice(0, 6)}-${name}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The bridge's name: at most 15 characters (IFNAMSIZ), the default one's to be recognized. */
function bridgeName(places: Places, options: NetworkOptions): string {
  const given = options.options?.['com.docker.network.bridge.name'];
  if (given !== undefined) return given;
  if (options.name === DEFAULT_NETWORK && places.root === '/var/lib/tsrun') return `${BRIDGE_PREFIX}0`;
  return `${BRIDGE_PREFIX}-${digestOf(`${places.root}\0${options.name}`).slice(0, 8)}`;
}

/** Undefined for a network of IPv4 alone. */
function subnet6For(places: Places, { name, ipv6 }: NetworkOptions, wanted: string | undefined, gateway: string | undefined) {
  if (ipv6 !== true) {
    if (wanted === undefined && gateway === undefined) return undefined;
    throw invalid('an IPv6 subnet or gateway needs --ipv6');
  }
  const subnet = wanted === undefined ? localSubnet6(`${places.root}\0${name}`) : subnet6Of(wanted, gateway);
  const taken = listNetworks(places).find(({ subnet6 }) => subnet6 !== undefined && overlaps6(subnet6, subnet.cidr));
  if (taken === undefined) return subnet;
  throw new ContainerError('conflict', `subnet ${subnet.cidr} overlaps with ${taken.subnet6} of network ${taken.name}`);
}

function overlaps6(a: string, b: string): boolean {
  const addressOf = (cidr: string) => cidr.slice(0, cidr.indexOf('/'));
  return isInSubnet6(addressOf(a), b) || isInSubnet6(addressOf(b), a);
}

/** @throws ContainerError invalid for two of one kind */
function eachKind(flag: string, words: readonly string[]): [v4: string | undefined, v6: string | undefined] {
  const [v6, v4] = [words.filter((word) => word.includes(':')), words.filter((word) => !word.includes(':'))];
  if (v6.length > 1 || v4.length > 1)
    throw invalid(`bad parameter: more than one --${flag} of a kind`, 'Give one of IPv4 and one of IPv6.');
  return [v4[0], v6[0]];
}

function pluginsOf(places: Places, options: NetworkOptions, subnet: Subnet, subnet6: Subnet6 | undefined): PluginConfig[] {
  const range = {
    subnet: subnet.cidr,
    gateway: subnet.gateway,
    ...(options.ipRange === undefined ? {} : rangeOf(options.ipRange)),
  };
  const isInternal = options.internal === true;
  return [
    {
      type: 'bridge',
      bridge: bridgeName(places, options),
      isGateway: true,
      ipMasq: !isInternal,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(places.networks, 'state', 'addresses'),
        ranges: [[range], ...(subnet6 === undefined ? [] : [[{ subnet: subnet6.cidr, gateway: subnet6.gateway }]])],
        ...(isInternal ? {} : { routes: [{ dst: '0.0.0.0/0' }, ...(subnet6 === undefined ? [] : [{ dst: '::/0' }])] }),
      },
      capabilities: { ips: true, mac: true },
    },
    {
      type: 'portmap',
      capabilities: { portMappings: true },
      snat: true,
      // What comes from the host's own ::1 cannot be sent on with that address: who holds the port passes it on.
      ...(subnet6 === undefined ? {} : { conditionsV6: ['!', '-d', '::1/128'] }),
    },
    { type: 'firewall', backend: 'iptables' },
  ];
}

function rangeOf(cidr: string): { rangeStart: string; rangeEnd: string } {
  const { first, last } = chooseSubnet({ used: [], wanted: cidr });
  return { rangeStart: first, rangeEnd: last };
}
