import { spawnSync } from 'node:child_process';
import { isInUserNamespace } from '../../../../runtime/src/linux/user-namespace.ts';
import { findContainer, listContainers } from '../../container/containers.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import { recordEvent } from '../../container/events.ts';
import { shortId } from '../../container/id.ts';
import { removeHostRules } from '../../network/host-rules.ts';
import {
  BUILT_IN,
  bridgeOf,
  createNetwork,
  DEFAULT_NETWORK,
  findNetwork,
  listNetworks,
  type Network,
  removeNetworkFile,
} from '../../network/networks.ts';
import { confirm } from '../cli/confirm.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command, Context } from '../context.ts';
import { parseFilters, printRows } from '../format/printer.ts';
import { hasLabel } from '../listing/container-filters.ts';
import { pruneFilter } from '../listing/prune-filters.ts';
import { labelsOf } from '../options/environment.ts';

const TABLE = {
  headers: { ID: 'NETWORK ID', Name: 'NAME', Driver: 'DRIVER', Scope: 'SCOPE', Labels: 'LABELS' },
  columns: ['ID', 'Name', 'Driver', 'Scope'],
};

export const list: Command = async (context, args) => {
  findNetwork(context.places, DEFAULT_NETWORK);
  const filters = parseFilters(args.values('filter'), ['driver', 'id', 'label', 'name', 'scope', 'type']);
  const builtIn = BUILT_IN.map((name) => ({ id: '0'.repeat(64), name, driver: name === 'none' ? 'null' : name, labels: {} }));
  const one = (name: string, test: (value: string) => boolean) => filters.get(name)?.some(test) ?? true;
  const networks = [...listNetworks(context.places), ...builtIn]
    .filter(({ id, name, driver, labels }) => {
      const isBuiltIn = name === DEFAULT_NETWORK || (BUILT_IN as readonly string[]).includes(name);
      return (
        one('name', (value) => name.includes(value)) &&
        one('id', (value) => id.startsWith(value)) &&
        one('driver', (value) => driver === value) &&
        one('label', (value) => hasLabel(labels, value)) &&
        one('type', (value) => value === (isBuiltIn ? 'builtin' : 'custom'))
      );
    })
    .sort((a, b) => Number(a.name > b.name) - 0.5);
  if (args.flag('quiet')) for (const { id } of networks) context.print(args.flag('no-trunc') ? id : shortId(id));
  else {
    const rows = networks.map(({ id, name, driver }) => ({
      ID: args.flag('no-trunc') ? id : shortId(id),
      Name: name,
      Driver: driver,
      Scope: 'local',
    }));
    for (const line of printRows(rows, TABLE, args.value('format'))) context.print(line);
  }
  return 0;
};

export const create: Command = async (context, args) => {
  if (isInUserNamespace(await context.sys())) {
    throw new ContainerError('unsupported', 'a user who is not root has the default network only', {
      hint: 'Containers share a network with --network container:NAME; pods and networks of many need sudo.',
    });
  }
  const optional = (key: string, flag: string) => (args.has(flag) ? { [key]: args.value(flag) } : {});
  const network = createNetwork(context.places, {
    name: args.positionals[0] ?? '',
    internal: args.flag('internal'),
    labels: labelsOf(args.values('label'), []),
    options: labelsOf(args.values('opt'), []),
    ...optional('driver', 'driver'),
    subnets: args.values('subnet'),
    gateways: args.values('gateway'),
    ipv6: args.flag('ipv6'),
    ...optional('ipRange', 'ip-range'),
  });
  recordEvent(context.places, 'network', 'create', { ID: network.id, Attributes: { name: network.name, type: network.driver } });
  context.print(network.id);
  return 0;
};

export const remove: Command = (context, args) =>
  forEach(context, args.positionals, async (text) => {
    if (text === DEFAULT_NETWORK || (BUILT_IN as readonly string[]).includes(text))
      throw invalid(`${text} is a pre-defined network and cannot be removed`);
    const network = args.flag('force') ? listNetworks(context.places).find(({ name }) => name === text) : findNetwork(context.places, text);
    if (network === undefined) return;
    await removeUnused(context, network);
    context.print(text);
  });

/** @throws ContainerError in-use */
async function removeUnused(context: Context, network: Network): Promise<void> {
  const users = membersOf(context, network);
  if (users.length > 0) {
    throw new ContainerError('in-use', `error while removing network: network ${network.name} id ${network.id} has active endpoints`, {
      hint: `Containers in it: ${users.map(({ record }) => record.Name).join(', ')}.`,
    });
  }
  removeNetworkFile(context.places, network);
  const bridge = bridgeOf(network);
  await removeHostRules({ bridge, ...(network.subnet6 === undefined ? {} : { subnet6: network.subnet6 }) });
  // CNI leaves the bridge, which is of no use to anybody now.
  spawnSync('ip', ['link', 'delete', bridge], { stdio: 'ignore' });
  recordEvent(context.places, 'network', 'destroy', { ID: network.id, Attributes: { name: network.name, type: network.driver } });
}

function membersOf(context: Context, network: Network) {
  return listContainers(context.places).filter(({ state }) => state.endpoints.some(({ networkId }) => networkId === network.id));
}

export const prune: Command = async (context, args) => {
  if (!args.flag('force') && !(await confirm(context, 'WARNING! This will remove all custom networks not used by at least one container.')))
    return 0;
  const used = new Set(listContainers(context.places).flatMap(({ record }) => record.Networks.map(({ name }) => name)));
  const passes = pruneFilter(args, ['until', 'label', 'label!']);
  const doomed = listNetworks(context.places).filter(
    (network) => network.name !== DEFAULT_NETWORK && !used.has(network.name) && passes(network),
  );
  if (doomed.length > 0) context.print('Deleted Networks:');
  for (const network of doomed) {
    await removeUnused(context, network);
    context.print(network.name);
  }
  return 0;
};

export const connect: Command = async (context, args) => {
  const [network = '', container = ''] = args.positionals;
  const { record } = findContainer(context.places, container);
  const { supervise } = await context.shim();
  await supervise.Connect({ id: record.Id, network, aliases: [...args.values('alias')], ip: args.value('ip') ?? '' });
  return 0;
};

export const disconnect: Command = async (context, args) => {
  const [network = '', container = ''] = args.positionals;
  const { record } = findContainer(context.places, container);
  const { supervise } = await context.shim();
  await supervise.Disconnect({ id: record.Id, network });
  return 0;
};
