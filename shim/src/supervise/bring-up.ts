/**
 * From a container's record to a running task, and back. The order matters:
 *
 *     root file system, names, config.json ─▶ host ports held ─▶ task created: its network namespace is there, its program waits
 *     ─▶ addresses and rules in that namespace ─▶ /etc/hosts ─▶ task started
 */

import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { isInUserNamespace } from '../../../runtime/src/linux/user-namespace.ts';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { replaceText } from '../container/files.ts';
import { containerPlaces } from '../container/places.ts';
import type { ContainerRecord, ContainerState, Endpoint } from '../container/record.ts';
import { ensureRootfs } from '../container/rootfs.ts';
import { runtimeConfig } from '../container/runtime-config.ts';
import { attachNetworks, detachNetworks } from '../network/attach.ts';
import { type HeldPorts, holdPorts, wantedPorts } from '../network/host-ports.ts';
import { DEFAULT_NETWORK, findNetwork } from '../network/networks.ts';
import { connectUserNetwork, disconnectUserNetwork, NAME_SERVER } from '../rootless/user-network.ts';
import { runtimeFacts } from './host-facts.ts';
import { runningPeers, writeHosts, writeNameFiles } from './name-files.ts';
import type { Setting } from './setting.ts';
import { startError } from './start-error.ts';
import type { ContainerStreams } from './streams.ts';

export interface Running {
  readonly pid: number;
  readonly endpoints: readonly Endpoint[];
  readonly held: HeldPorts;
  readonly network: KeptNetwork;
}

/** The network namespace, open over the end of its last process: CNI plugins want to see it when they take their rules away. */
export interface KeptNetwork {
  /** '' for none. */
  readonly path: string;
  release(): void;
}

const NO_NETWORK: KeptNetwork = { path: '', release: () => undefined };

function keepNetwork(pid: number): KeptNetwork {
  const fd = openSync(`/proc/${pid}/ns/net`, 'r');
  return { path: `/proc/${process.pid}/fd/${fd}`, release: () => closeSync(fd) };
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** @throws ContainerError; then nothing of the start is left */
export async function bringUp(
  setting: Setting,
  record: ContainerRecord,
  before: ContainerState,
  streams: ContainerStreams,
  size: TerminalSize | undefined,
): Promise<Running> {
  const { Config: run, HostConfig: host } = record;
  let held: HeldPorts | undefined;
  let network = NO_NETWORK;
  try {
    writeBundle(setting, record);
    if (ownsNetwork(record)) held = await holdPorts(wantedPorts(run, host), before.ports);
    const paths = streams.open({ stdin: run.OpenStdin, tty: run.Tty });
    const bundle = containerPlaces(setting.places, record.Id).bundle;
    const { pid } = await setting.tasks.Create({ id: record.Id, bundle, terminal: run.Tty, ...paths });
    if (run.Tty && size !== undefined) await setting.tasks.ResizePty({ id: record.Id, width: size.columns, height: size.rows });
    if (ownsNetwork(record)) network = keepNetwork(pid);
    const endpoints = await joinNetworks(setting, record, pid, held ?? NONE);
    held?.forwardTo(endpoints[0]?.ipAddress ?? '');
    await setting.tasks.Start({ id: record.Id });
    return { pid, endpoints, held: held ?? NONE, network };
  } catch (error) {
    held?.release();
    await takeDown(setting, record, streams, network);
    throw startError(error, [...(run.Entrypoint ?? []), ...(run.Cmd ?? [])][0] ?? '');
  }
}

const NONE: HeldPorts = { ports: {}, forwardTo: () => undefined, release: () => undefined };

/** As `bringUp`, of a container that another process has brought up. */
export async function takeUp(record: ContainerRecord, state: ContainerState): Promise<Running> {
  const network = ownsNetwork(record) ? keepNetwork(state.pid) : NO_NETWORK;
  const held = await holdPorts(state.ports, {}).catch(() => NONE);
  held.forwardTo(state.endpoints[0]?.ipAddress ?? '');
  return { pid: state.pid, endpoints: state.endpoints, held, network };
}

/** Neither the host's, nor another container's, nor none. */
export function ownsNetwork({ HostConfig: { NetworkMode: mode } }: ContainerRecord): boolean {
  return mode !== 'host' && mode !== 'none' && !mode.startsWith('container:');
}

function writeBundle(setting: Setting, record: ContainerRecord): void {
  const { bundle } = containerPlaces(setting.places, record.Id);
  const { merged } = ensureRootfs(setting.store, record.Id);
  mkdirSync(bundle, { recursive: true, mode: 0o711 });
  writeNameFiles(setting.places, record, isInUserNamespace(setting.sys) ? [NAME_SERVER] : undefined);
  const config = runtimeConfig(record, runtimeFacts(setting, record, merged));
  replaceText(join(bundle, 'config.json'), stringifyJson(config));
}

async function joinNetworks(setting: Setting, record: ContainerRecord, pid: number, held: HeldPorts): Promise<Endpoint[]> {
  if (!ownsNetwork(record)) return [];
  const endpoints = isInUserNamespace(setting.sys)
    ? [await joinUserNetwork(setting, record, pid, held)]
    : await attachNetworks(setting.places, setting.cni, { containerId: record.Id, pid, networks: record.Networks, ports: held.ports });
  // Before its program starts, which may look for its peers at once.
  writeHosts(setting.places, record, endpoints, runningPeers(setting.places));
  return endpoints;
}

/** The ports are free, and are given to whoever passes on what comes to them. */
async function joinUserNetwork({ sys, places }: Setting, record: ContainerRecord, pid: number, held: HeldPorts): Promise<Endpoint> {
  const { ports } = held;
  held.release();
  const endpoint = await connectUserNetwork({ sys, directory: containerPlaces(places, record.Id).directory, pid, ports });
  return { ...endpoint, networkId: findNetwork(places, DEFAULT_NETWORK).id };
}

/** What a start has made, taken away; what is not there is nothing to take away. Failures are told, for the container has ended all the same. */
export async function takeDown(setting: Setting, record: ContainerRecord, streams: ContainerStreams, network = NO_NETWORK): Promise<void> {
  const step = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      setting.warn(`${record.Name}: ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  // Neither needs the other: the network namespace is kept.
  await Promise.all([
    deleteTask(setting, record.Id),
    step('its network', async () => {
      disconnectUserNetwork(setting.sys, containerPlaces(setting.places, record.Id).directory);
      await detachNetworks(setting.cni, record.Id, network.path);
    }),
  ]);
  network.release();
  await step('its streams', () => streams.closePipes());
}

/** The task and whatever of it still runs. */
export async function deleteTask(setting: Setting, id: string): Promise<void> {
  const quietly = (action: Promise<unknown>) => action.catch(() => undefined);
  const deleted = await setting.tasks.Delete({ id }).then(
    () => true,
    () => false,
  );
  if (deleted) return;
  const wait = setting.tasks.Wait({ id });
  await quietly(setting.tasks.Kill({ id, signal: 9, all: true }));
  await quietly(Promise.race([wait, new Promise((done) => setTimeout(done, 5_000))]));
  await quietly(setting.tasks.Delete({ id }));
}
