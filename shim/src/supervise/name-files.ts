/** The files in a container's /etc that are ours. They are bound into it, so they are written in place, never replaced. */

import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { listContainers } from '../container/containers.ts';
import { isMissing } from '../container/files.ts';
import { shortId } from '../container/id.ts';
import { containerPlaces, type Places } from '../container/places.ts';
import { type ContainerRecord, type Endpoint, isRunning } from '../container/record.ts';
import { type HostLine, hostsFile, resolvConf } from '../network/name-files.ts';
import { DEFAULT_NETWORK } from '../network/networks.ts';

/**
 * All three, before the container is made; its addresses are not known yet.
 * @param forwarder servers that stand for those of the host which only the host can reach
 */
export function writeNameFiles(places: Places, record: ContainerRecord, forwarder?: readonly string[]): void {
  const files = containerPlaces(places, record.Id);
  const { HostConfig: host, Config: run } = record;
  const isIsolated = host.NetworkMode !== 'host' && host.NetworkMode !== 'none';
  writeInPlace(files.hostname, `${run.Hostname}\n`);
  const sharer = host.NetworkMode.startsWith('container:');
  const hostText = readOrNothing('/etc/resolv.conf');
  writeInPlace(
    files.resolvConf,
    resolvConf({
      host: hostText,
      dns: host.Dns,
      search: host.DnsSearch,
      options: host.DnsOptions,
      isIsolated: isIsolated && !sharer,
      ...(forwarder === undefined ? {} : { forwarder }),
    }),
  );
  writeHosts(places, record, [], []);
}

export interface Peer {
  readonly record: ContainerRecord;
  readonly endpoints: readonly Endpoint[];
}

/** Those that run, with where they are. */
export function runningPeers(places: Places): Peer[] {
  return listContainers(places)
    .filter(({ state }) => isRunning(state))
    .map(({ record, state }) => ({ record, endpoints: state.endpoints }));
}

/** The hosts file of every running container that shares a network with another. */
export function writePeerHosts(places: Places): void {
  const running = runningPeers(places);
  for (const one of running) {
    if (one.endpoints.length > 0) writeHosts(places, one.record, one.endpoints, running);
  }
}

export function writeHosts(places: Places, record: ContainerRecord, endpoints: readonly Endpoint[], running: readonly Peer[]): void {
  const { HostConfig: host, Config: run } = record;
  if (host.NetworkMode === 'host') {
    writeInPlace(containerPlaces(places, record.Id).hosts, withExtra(readOrNothing('/etc/hosts'), host.ExtraHosts));
    return;
  }
  const domain = run.Domainname === undefined ? [] : [`${run.Hostname}.${run.Domainname}`];
  const own = endpoints.flatMap(addressesOf).map((address): HostLine => ({ address, names: [...domain, run.Hostname] }));
  const networks = endpoints.map(({ network }) => network).filter((network) => network !== DEFAULT_NETWORK);
  const peers = running
    .filter((peer) => peer.record.Id !== record.Id)
    .flatMap((peer) =>
      peer.endpoints.filter(({ network }) => networks.includes(network)).flatMap((endpoint) => hostLines(peer.record, endpoint)),
    );
  const gateway = endpoints[0]?.gateway ?? '';
  writeInPlace(containerPlaces(places, record.Id).hosts, hostsFile({ extra: host.ExtraHosts, gateway, own, peers }));
}

function hostLines(record: ContainerRecord, endpoint: Endpoint): HostLine[] {
  const aliases = record.Networks.find(({ name }) => name === endpoint.network)?.aliases ?? [];
  const names = [...new Set([record.Name, ...aliases, shortId(record.Id), record.Config.Hostname])];
  return addressesOf(endpoint).map((address) => ({ address, names }));
}

function addressesOf({ ipAddress, ipv6Address }: Endpoint): string[] {
  return [ipAddress, ipv6Address].filter((address) => address !== '');
}

function withExtra(text: string, extra: readonly string[]): string {
  return text + extra.map((one) => `${one.slice(one.search(/[:=]/) + 1)}\t${one.slice(0, one.search(/[:=]/))}\n`).join('');
}

function writeInPlace(path: string, text: string): void {
  const fd = openSync(path, 'a', 0o644);
  try {
    if (readOrNothing(path) === text) return;
    ftruncateSync(fd, 0);
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
