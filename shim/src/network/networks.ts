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

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly subnet: string;
  readonly gateway: string;
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
  readonly subnet?: string;
  readonly gateway?: string;
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
  const subnet = chooseSubnet({
    used: listNetworks(places).map((one) => one.subnet),
    ...(options.subnet === undefined ? {} : { wanted: options.subnet }),
    ...(options.gateway === undefined ? {} : { gateway: options.gateway }),
  });
  const network: Network = {
    id: newId(),
    name,
    created: new Date().toISOString(),
    driver,
    internal,
    subnet: subnet.cidr,
    gateway: subnet.gateway,
    labels: options.labels ?? {},
    options: options.options ?? {},
    config: { cniVersion: CNI_VERSION, name: cniName(places, name), plugins: pluginsOf(places, options, subnet) },
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

function pluginsOf(places: Places, options: NetworkOptions, subnet: Subnet): PluginConfig[] {
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
        ranges: [[range]],
        ...(isInternal ? {} : { routes: [{ dst: '0.0.0.0/0' }] }),
      },
      capabilities: { ips: true, mac: true },
    },
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    { type: 'firewall', backend: 'iptables' },
  ];
}

function rangeOf(cidr: string): { rangeStart: string; rangeEnd: string } {
  const { first, last } = chooseSubnet({ used: [], wanted: cidr });
  return { rangeStart: first, rangeEnd: last };
}
