/** `ps --filter`. */

import type { Container } from '../../container/container-reader.ts';
import { invalid } from '../../container/errors.ts';
import { parseExpose } from '../../network/port-spec.ts';
import { parseFilters } from '../format/printer.ts';

const STATUSES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

type Test = (container: Container, value: string) => boolean;

/** Names and ids are matched as docker does it: anywhere in a name, at the beginning of an id. */
const TESTS: Readonly<Record<string, Test>> = {
  id: ({ record }, value) => record.Id.startsWith(value),
  name: ({ record }, value) => new RegExp(value.replace(/^\//, '')).test(record.Name),
  label: ({ record }, value) => hasLabel(record.Config.Labels ?? {}, value),
  exited: ({ state }, value) => state.status === 'exited' && state.exitCode === Number(value),
  status: ({ state }, value) => state.status === value,
  ancestor: ({ record }, value) => isAncestor(record.Config.Image, record.Image, value),
  volume: ({ record }, value) => record.Mounts.some(({ Name, Destination }) => Name === value || Destination === value),
  network: ({ record }, value) => record.HostConfig.NetworkMode === value || record.Networks.some(({ name }) => name === value),
  publish: ({ state }, value) => portsOf(value).some((port) => state.ports[port] !== undefined),
  expose: ({ record }, value) => portsOf(value).some((port) => record.Config.ExposedPorts?.[port] !== undefined),
  health: ({ state }, value) => (state.health?.Status ?? 'none') === value,
};

/** Filters of one name are alternatives; all names must be met. `find` finds the container that a word means. */
export function filterContainers(
  containers: readonly Container[],
  words: readonly string[],
  find: (text: string) => Container,
): Container[] {
  const filters = parseFilters(words, [...Object.keys(TESTS), 'before', 'since', 'is-task']);
  for (const status of filters.get('status') ?? []) {
    if (!STATUSES.includes(status)) throw invalid(`invalid filter 'status=${status}'`);
  }
  const createdOf = (text: string) => find(text).record.Created;
  const before = (filters.get('before') ?? []).map(createdOf);
  const since = (filters.get('since') ?? []).map(createdOf);
  return containers.filter((container) => {
    const { Created } = container.record;
    const isInTime = before.every((time) => Created < time) && since.every((time) => Created > time);
    return isInTime && Object.entries(TESTS).every(([name, test]) => filters.get(name)?.some((value) => test(container, value)) ?? true);
  });
}

/** Whether the filters speak of containers that do not run: then those are shown without -a. */
export function concernsAll(words: readonly string[]): boolean {
  return words.some((word) => /^(status|exited)=/.test(word));
}

export function hasLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const equals = filter.indexOf('=');
  return equals < 0 ? labels[filter] !== undefined : labels[filter.slice(0, equals)] === filter.slice(equals + 1);
}

function isAncestor(name: string, id: string, value: string): boolean {
  const plain = (text: string) => (text.includes(':', text.lastIndexOf('/') + 1) || text.includes('@') ? text : `${text}:latest`);
  return plain(name) === plain(value) || id === value || id.replace(/^sha256:/, '').startsWith(value.replace(/^sha256:/, ''));
}

function portsOf(text: string): string[] {
  return parseExpose(text);
}
