import { ContainerError, invalid } from '../../container/errors.ts';
import { recordEvent } from '../../container/events.ts';
import { usedVolumes } from '../../container/removal.ts';
import { formatDecimalSize } from '../../container/size.ts';
import { diskUsage, ensureVolume, findVolume, listVolumes, removeVolume, type Volume } from '../../volume/volumes.ts';
import { confirm } from '../cli/confirm.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command } from '../context.ts';
import { parseFilters, printRows } from '../format/printer.ts';
import { hasLabel } from '../listing/container-filters.ts';
import { pruneFilter } from '../listing/prune-filters.ts';
import { labelsOf } from '../options/environment.ts';

const TABLE = {
  headers: { Driver: 'DRIVER', Name: 'VOLUME NAME', Mountpoint: 'MOUNTPOINT', Scope: 'SCOPE', Labels: 'LABELS' },
  columns: ['Driver', 'Name'],
};

export const list: Command = async (context, args) => {
  const filters = parseFilters(args.values('filter'), ['dangling', 'driver', 'label', 'name']);
  const used = usedVolumes(context.places);
  const dangling = filters.get('dangling')?.at(-1);
  const passes = ({ name, labels }: Volume) =>
    (filters.get('name')?.some((value) => name.includes(value)) ?? true) &&
    (filters.get('label')?.every((value) => hasLabel(labels, value)) ?? true) &&
    (filters.get('driver')?.includes('local') ?? true) &&
    (dangling === undefined || used.has(name) !== ['true', '1'].includes(dangling));
  const volumes = listVolumes(context.places).filter(passes);
  if (args.flag('quiet')) for (const { name } of volumes) context.print(name);
  else {
    const rows = volumes.map(({ name, path, labels }) => ({
      Driver: 'local',
      Name: name,
      Mountpoint: path,
      Scope: 'local',
      Labels: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    }));
    for (const line of printRows(rows, TABLE, args.value('format'))) context.print(line);
  }
  return 0;
};

export const create: Command = async (context, args) => {
  const name = args.positionals[0] ?? args.value('name');
  if (args.positionals[0] !== undefined && args.has('name'))
    throw invalid('conflicting options: either specify --name or provide positional arg, not both');
  const options = labelsOf(args.values('opt'), []);
  if (Object.keys(options).length > 0) {
    throw new ContainerError('unsupported', 'options of the local volume driver are not supported', {
      hint: 'Bind a directory instead: -v /path:/path.',
    });
  }
  const driver = args.value('driver');
  const { volume, isNew } = ensureVolume(context.places, {
    labels: labelsOf(args.values('label'), []),
    ...(name === undefined ? {} : { name }),
    ...(driver === undefined ? {} : { driver }),
  });
  if (isNew) recordEvent(context.places, 'volume', 'create', { ID: volume.name, Attributes: { driver: 'local' } });
  context.print(volume.name);
  return 0;
};

export const remove: Command = (context, args) =>
  forEach(context, args.positionals, async (name) => {
    const volume = args.flag('force') ? listVolumes(context.places).find((one) => one.name === name) : findVolume(context.places, name);
    if (volume === undefined) return;
    if (usedVolumes(context.places).has(name)) throw new ContainerError('in-use', `remove ${name}: volume is in use`);
    removeVolume(context.places, name);
    recordEvent(context.places, 'volume', 'destroy', { ID: name, Attributes: { driver: 'local' } });
    context.print(name);
  });

export const prune: Command = async (context, args) => {
  const kinds = args.flag('all') ? 'all local volumes' : 'anonymous local volumes';
  if (!args.flag('force') && !(await confirm(context, `WARNING! This will remove ${kinds} not used by at least one container.`))) return 0;
  const passes = pruneFilter(args, ['label', 'label!']);
  const used = usedVolumes(context.places);
  const doomed = listVolumes(context.places).filter(
    (volume) => !used.has(volume.name) && (volume.anonymous || args.flag('all')) && passes(volume),
  );
  const bytes = doomed.reduce((sum, { path }) => sum + diskUsage(path), 0);
  if (doomed.length > 0) context.print('Deleted Volumes:');
  for (const { name } of doomed) {
    removeVolume(context.places, name);
    context.print(name);
  }
  context.print(`${doomed.length > 0 ? '\n' : ''}Total reclaimed space: ${formatDecimalSize(bytes)}`);
  return 0;
};
