/** A container's state in docker's words: the STATUS and PORTS columns. */

import { type ContainerRecord, type ContainerState, isRunning, type PortBinding } from '../../container/record.ts';
import { comparePorts } from '../../network/port-spec.ts';
import { ago, humanDuration } from '../format/human-time.ts';

export function statusText(state: ContainerState, nowMs: number): string {
  const since = (time: string) => humanDuration(Math.max(0, nowMs - Date.parse(time)) / 1000);
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(state)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${ago(state.finishedAt, nowMs)}`;
    case 'dead':
      return 'Dead';
    case 'exited':
      return state.startedAt === '' ? 'Created' : `Exited (${state.exitCode}) ${ago(state.finishedAt, nowMs)}`;
  }
}

function healthText({ health }: ContainerState): string {
  if (health === undefined) return '';
  return health.Status === 'starting' ? ' (health: starting)' : ` (${health.Status})`;
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`; runs of the same number on both sides are folded. */
export function portsText(record: ContainerRecord, state: ContainerState): string {
  if (!isRunning(state)) return '';
  const published = Object.entries(state.ports).flatMap(([port, bindings]) => bindings.map((binding) => entryOf(port, binding)));
  const exposed = Object.keys(record.Config.ExposedPorts ?? {})
    .filter((port) => state.ports[port] === undefined)
    .map((port) => entryOf(port, undefined));
  const entries = [...exposed, ...published].sort((a, b) => comparePorts(a.port, b.port));
  return fold(entries).join(', ');
}

interface Entry {
  readonly port: string;
  readonly number: number;
  readonly protocol: string;
  readonly binding: PortBinding | undefined;
}

function entryOf(port: string, binding: PortBinding | undefined): Entry {
  const [number = '', protocol = 'tcp'] = port.split('/');
  return { port, number: Number(number), protocol, binding };
}

function fold(entries: readonly Entry[]): string[] {
  const groups: Entry[][] = [];
  for (const entry of entries) {
    const group = groups.find((one) => follows(one.at(-1), entry));
    if (group === undefined) groups.push([entry]);
    else group.push(entry);
  }
  return groups.map(textOf);
}

function follows(last: Entry | undefined, next: Entry): boolean {
  if (last === undefined || last.protocol !== next.protocol || next.number !== last.number + 1) return false;
  if (last.binding === undefined || next.binding === undefined) return last.binding === next.binding;
  const isSameNumber = Number(last.binding.HostPort) === last.number && Number(next.binding.HostPort) === next.number;
  return last.binding.HostIp === next.binding.HostIp && isSameNumber;
}

function textOf(group: readonly Entry[]): string {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return '';
  const range = (from: number | string, to: number | string) => (String(from) === String(to) ? String(from) : `${from}-${to}`);
  const container = `${range(first.number, last.number)}/${first.protocol}`;
  if (first.binding === undefined || last.binding === undefined) return container;
  const { HostIp } = first.binding;
  const address = HostIp.includes(':') ? `[${HostIp}]` : HostIp;
  return `${address}:${range(first.binding.HostPort, last.binding.HostPort)}->${container}`;
}
