import { existsSync } from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { collectAllGarbage, removeDangling } from '../../../../imagetool/src/image/collect-garbage.ts';
import { layoutAt } from '../../../../imagetool/src/store/layout.ts';
import { hasLayout } from '../../../../imagetool/src/store/make-layout.ts';
import { removeImage } from '../../../../imagetool/src/store/refs.ts';
import { type Container, listContainers } from '../../container/containers.ts';
import { invalid } from '../../container/errors.ts';
import { isRunning } from '../../container/record.ts';
import { removeStopped, usedVolumes } from '../../container/removal.ts';
import { startsWithSystem } from '../../container/restart-policy.ts';
import { formatDecimalSize } from '../../container/size.ts';
import { diskUsage, listVolumes } from '../../volume/volumes.ts';
import { confirm } from '../cli/confirm.ts';
import type { Arguments } from '../cli/flags.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command, Context } from '../context.ts';
import { printRows } from '../format/printer.ts';
import { formatTable } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';
import { type Prunable, pruneFilter } from '../listing/prune-filters.ts';
import { sizeOfContainer } from '../listing/sizes.ts';
import { imageLabels, imageRows } from './images.ts';
import { prune as pruneNetworks } from './network.ts';
import { versionFacts } from './version.ts';
import { prune as pruneVolumes } from './volume.ts';

const isActive = ({ state }: Container) => isRunning(state) || state.status === 'restarting';

export const pruneContainers: Command = async (context, args) => {
  if (!args.flag('force') && !(await confirm(context, 'WARNING! This will remove all stopped containers.'))) return 0;
  const passes = pruneFilter(args, ['until', 'label', 'label!']);
  context.print(`Total reclaimed space: ${formatDecimalSize(await removeStoppedContainers(context, passes))}`);
  return 0;
};

async function removeStoppedContainers(context: Context, passes: (object: Prunable) => boolean): Promise<number> {
  const stopped = listContainers(context.places).filter(
    (container) => !isActive(container) && passes({ created: container.record.Created, labels: container.record.Config.Labels ?? {} }),
  );
  if (stopped.length === 0) return 0;
  const sizeOf = await sizeOfContainer(context);
  const bytes = stopped.reduce((sum, container) => sum + sizeOf(container).own, 0);
  const store = await context.store();
  context.print('Deleted Containers:');
  for (const { record } of stopped) {
    removeStopped(record, { store, places: context.places, volumes: false });
    context.print(record.Id);
  }
  context.print('');
  return bytes;
}

export const pruneImages: Command = async (context, args) => {
  const what = args.flag('all') ? 'all images without at least one container associated to them' : 'all dangling images';
  if (!args.flag('force') && !(await confirm(context, `WARNING! This will remove ${what}.`))) return 0;
  context.print(`Total reclaimed space: ${formatDecimalSize(await removeUnusedImages(context, args))}`);
  return 0;
};

async function removeUnusedImages(context: Context, args: Arguments): Promise<number> {
  const passes = pruneFilter(args, ['until', 'label', 'label!', 'dangling']);
  if (!hasLayout(layoutAt(context.places.root))) return 0;
  const store = await context.store();
  const used = new Set(listContainers(context.places).map(({ record }) => record.Image));
  for (const row of await imageRows(context)) {
    if (used.has(row.id) || !(args.flag('all') || row.repository === '<none>')) continue;
    if (passes({ created: row.created, labels: args.has('filter') ? await imageLabels(context, row) : {} }))
      await removeImage(store, row.digest);
  }
  if (!args.has('filter')) await removeDangling(store);
  const { removed, freedBytes } = await collectAllGarbage(store);
  if (removed.length > 0) context.print('Deleted Images:');
  for (const { digest } of removed) context.print(`deleted: ${digest}`);
  if (removed.length > 0) context.print('');
  return freedBytes;
}

export const prune: Command = async (context, args) => {
  if (args.flag('volumes') && args.values('filter').some((word) => word.startsWith('until='))) {
    throw invalid('The "until" filter is not supported with "--volumes"');
  }
  const parts = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(args.flag('volumes') ? ['all anonymous volumes not used by at least one container'] : []),
    args.flag('all') ? 'all images without at least one container associated to them' : 'all dangling images',
  ];
  const warning = `WARNING! This will remove:\n${parts.map((part) => `  - ${part}`).join('\n')}\n`;
  if (!args.flag('force') && !(await confirm(context, warning))) return 0;
  const forced: Arguments = { ...args, flag: (name) => name === 'force' || (name !== 'all' && args.flag(name)) };
  const passes = pruneFilter(args, ['until', 'label', 'label!']);
  let bytes = await removeStoppedContainers(context, passes);
  await pruneNetworks(context, forced);
  if (args.flag('volumes')) await pruneVolumes(context, forced);
  bytes += await removeUnusedImages(context, args);
  context.print(`Total reclaimed space: ${formatDecimalSize(bytes)}`);
  return 0;
};

export const df: Command = async (context, args) => {
  const containers = listContainers(context.places);
  const sizeOf = containers.length === 0 ? undefined : await sizeOfContainer(context);
  const own = (list: readonly Container[]) => list.reduce((sum, container) => sum + (sizeOf?.(container).own ?? 0), 0);
  const images = await imageRows(context);
  const used = new Set(containers.map(({ record }) => record.Image));
  const unique = [...new Map(images.map((row) => [row.id, row])).values()];
  const imageBytes = (rows: typeof unique) => rows.reduce((sum, { size = 0 }) => sum + size, 0);
  const volumes = listVolumes(context.places).map(({ name, path }) => ({ name, bytes: diskUsage(path) }));
  const usedNames = usedVolumes(context.places);
  const volumeBytes = (list: typeof volumes) => list.reduce((sum, { bytes }) => sum + bytes, 0);
  const row = (Type: string, total: number, active: number, size: number, free: number) => ({
    Type,
    TotalCount: String(total),
    Active: String(active),
    Size: formatDecimalSize(size),
    Reclaimable: `${formatDecimalSize(free)}${size === 0 ? '' : ` (${Math.round((free / size) * 100)}%)`}`,
  });
  const rows = [
    row(
      'Images',
      unique.length,
      unique.filter(({ id }) => used.has(id)).length,
      imageBytes(unique),
      imageBytes(unique.filter(({ id }) => !used.has(id))),
    ),
    row(
      'Containers',
      containers.length,
      containers.filter(isActive).length,
      own(containers),
      own(containers.filter((one) => !isActive(one))),
    ),
    row(
      'Local Volumes',
      volumes.length,
      volumes.filter(({ name }) => usedNames.has(name)).length,
      volumeBytes(volumes),
      volumeBytes(volumes.filter(({ name }) => !usedNames.has(name))),
    ),
  ];
  const shape = {
    headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
    columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
  };
  for (const line of printRows(rows, shape, args.value('format'))) context.print(line);
  if (!args.flag('verbose')) return 0;
  context.print('\nContainers space usage:\n');
  for (const line of formatTable([
    ['CONTAINER ID', 'NAME', 'SIZE'],
    ...containers.map((one) => [one.record.Id.slice(0, 12), one.record.Name, formatDecimalSize(sizeOf?.(one).own ?? 0)]),
  ]))
    context.print(line);
  context.print('\nLocal Volumes space usage:\n');
  for (const line of formatTable([['VOLUME NAME', 'SIZE'], ...volumes.map(({ name, bytes }) => [name, formatDecimalSize(bytes)])]))
    context.print(line);
  return 0;
};

/** After the machine was down: what no process holds any more is written down as ended, and what should run is started. */
export const start: Command = async (context) => {
  // Its start clears away what the last shim has left.
  const { supervise } = await context.shim();
  const due = listContainers(context.places).filter(
    (one) => !isActive(one) && one.state.startedAt !== '' && startsWithSystem(one.record.HostConfig.RestartPolicy, one.state.stoppedByUser),
  );
  return await forEach(
    context,
    due.map(({ record }) => record.Name),
    async (name) => {
      const id = due.find(({ record }) => record.Name === name)?.record.Id ?? '';
      await supervise.Start({ id });
      context.print(name);
    },
  );
};

export const systemdUnit: Command = async (context) => {
  const built = resolve(dirname(process.argv[1] ?? ''), 'bin/tsctl');
  const program = existsSync(built) ? built : '/usr/local/bin/tsctl';
  context.print(
    [
      '# tsctl system systemd-unit > /etc/systemd/system/tsctl.service && systemctl enable tsctl',
      '[Unit]',
      'Description=Containers of tsctl whose restart policy says so',
      'After=network-online.target local-fs.target',
      'Wants=network-online.target',
      '',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      // The shim holds the containers: it must live when this has ended.
      'KillMode=process',
      `ExecStart=${program} --root ${context.places.root} system start`,
      '',
      '[Install]',
      'WantedBy=multi-user.target',
    ].join('\n'),
  );
  return 0;
};

export const info: Command = async (context, args) => {
  const containers = listContainers(context.places);
  const count = (test: (container: Container) => boolean) => containers.filter(test).length;
  const facts = {
    Containers: containers.length,
    ContainersRunning: count(({ state }) => state.status === 'running'),
    ContainersPaused: count(({ state }) => state.status === 'paused'),
    ContainersStopped: count((one) => !isActive(one)),
    Images: new Set((await imageRows(context)).map(({ id }) => id)).size,
    Driver: 'overlay2',
    LoggingDriver: 'json-file',
    CgroupVersion: '2',
    DefaultRuntime: 'tsrun',
    KernelVersion: release(),
    OSType: 'linux',
    Architecture: process.arch === 'x64' ? 'x86_64' : 'aarch64',
    NCPU: cpus().length,
    MemTotal: totalmem(),
    Name: hostname(),
    DockerRootDir: context.places.root,
    ServerVersion: versionFacts().Client.Version,
  };
  const format = args.value('format');
  if (format === 'json') context.print(JSON.stringify(facts));
  else if (format !== undefined) context.print(compileTemplate(format)(facts));
  else for (const [name, value] of Object.entries(facts)) context.print(`${name.replace(/([a-z])([A-Z])/g, '$1 $2')}: ${value}`);
  return 0;
};
