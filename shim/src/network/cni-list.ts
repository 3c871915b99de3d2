/** A list of plugins in order: each is given the result of the one before; taken down in reverse, with the last result (CNI specification, section 3). */

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, readText, replaceText } from '../container/files.ts';
import { callPlugin, type PluginCall, type PluginConfig } from './cni-plugin.ts';

export interface NetworkConfig {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginConfig[];
}

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostIP?: string;
}

export interface Capabilities {
  readonly portMappings?: readonly PortMapping[];
  readonly ips?: readonly string[];
  readonly mac?: string;
}

export interface CniResult {
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[];
  readonly ips?: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number }[];
  readonly dns?: { readonly nameservers?: readonly string[]; readonly search?: readonly string[] };
}

export interface Attachment {
  readonly containerId: string;
  readonly netns: string;
  readonly interfaceName: string;
  readonly capabilities: Capabilities;
}

/** What a network keeps of an attachment, for its DEL. */
interface CachedAttachment {
  readonly config: NetworkConfig;
  readonly interfaceName: string;
  readonly capabilities: Capabilities;
  readonly result: CniResult;
}

export interface CniPlaces {
  /** Results by container. */
  readonly cache: string;
  readonly pluginPath: readonly string[];
}

/** Undoes what the plugins before a failed one did. @throws ContainerError network */
export async function addToNetwork(places: CniPlaces, config: NetworkConfig, attachment: Attachment): Promise<CniResult> {
  const call = callFor(places, attachment, 'ADD');
  let result: CniResult = {};
  // Written before the first plugin, so that a crash in the middle can be cleaned up.
  remember(places, config, attachment, result);
  try {
    for (const plugin of config.plugins) {
      const answer = await callPlugin(call, inputFor(config, plugin, attachment.capabilities, result));
      if (typeof answer === 'object' && answer !== null) result = answer;
    }
  } catch (error) {
    await removeFromNetwork(places, attachment.containerId, config.name, attachment.netns).catch(() => undefined);
    throw error;
  }
  remember(places, config, attachment, result);
  return result;
}

/** Takes a container out of a network; nothing to do where it is not in it. `netns` is '' where it is gone. @throws ContainerError network */
export async function removeFromNetwork(places: CniPlaces, containerId: string, network: string, netns: string): Promise<void> {
  const path = cachePath(places, containerId, network);
  const text = readText(path);
  if (text === undefined) return;
  const { config, interfaceName, capabilities, result } = JSON.parse(text) as CachedAttachment;
  const call = callFor(places, { containerId, netns, interfaceName, capabilities }, 'DEL');
  for (const plugin of [...config.plugins].reverse()) await callPlugin(call, inputFor(config, plugin, capabilities, result));
  rmSync(path, { force: true });
}

/** Networks that a container is noted in. */
export function attachedNetworks(places: CniPlaces, containerId: string): string[] {
  try {
    const prefix = `${containerId}-`;
    return readdirSync(places.cache).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function callFor(places: CniPlaces, attachment: Attachment, command: PluginCall['command']): PluginCall {
  return {
    command,
    containerId: attachment.containerId,
    netns: attachment.netns,
    interfaceName: attachment.interfaceName,
    path: places.pluginPath,
  };
}

/** Exported for its test. A plugin gets of the capability arguments those that it asks for, and not the question. */
export function inputFor(config: NetworkConfig, plugin: PluginConfig, capabilities: Capabilities, result: CniResult): PluginConfig {
  const { capabilities: wanted, ...rest } = plugin;
  const isWanted = (name: string) => typeof wanted === 'object' && wanted !== null && (wanted as Record<string, unknown>)[name] === true;
  const runtimeConfig = Object.fromEntries(Object.entries(capabilities).filter(([name]) => isWanted(name)));
  return {
    ...rest,
    cniVersion: config.cniVersion,
    name: config.name,
    ...(Object.keys(runtimeConfig).length === 0 ? {} : { runtimeConfig }),
    ...(Object.keys(result).length === 0 ? {} : { prevResult: result }),
  };
}

function remember(places: CniPlaces, config: NetworkConfig, attachment: Attachment, result: CniResult): void {
  mkdirSync(places.cache, { recursive: true });
  const { containerId, interfaceName, capabilities } = attachment;
  const cached: CachedAttachment = { config, interfaceName, capabilities, result };
  replaceText(cachePath(places, containerId, config.name), JSON.stringify(cached));
}

function cachePath(places: CniPlaces, containerId: string, network: string): string {
  return join(places.cache, `${containerId}-${network}`);
}
