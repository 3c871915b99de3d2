import type { Container } from '../../container/containers.ts';
import { listContainers } from '../../container/containers.ts';
import { isRunning } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { printRows } from '../format/printer.ts';
import { concernsAll, filterContainers } from '../listing/container-filters.ts';
import { CONTAINER_TABLE, containerRow } from '../listing/container-row.ts';

export const ps: Command = async (context, args) => {
  const chosen = choose(context, args);
  const noTrunc = args.flag('no-trunc');
  const format = args.value('format');
  if (args.flag('quiet') && format === undefined) {
    for (const { record } of chosen) context.print(noTrunc ? record.Id : record.Id.slice(0, 12));
    return 0;
  }
  const sizeOf = args.flag('size') || format?.includes('.Size') === true ? await sizes(context) : () => undefined;
  const nowMs = Date.now();
  const rows = chosen.map((container) => containerRow(container, { nowMs, noTrunc, size: sizeOf(container) }));
  const columns = args.flag('size') ? [...CONTAINER_TABLE.columns, 'Size'] : CONTAINER_TABLE.columns;
  for (const line of printRows(rows, { ...CONTAINER_TABLE, columns }, format)) context.print(line);
  return 0;
};

function choose(context: Context, args: Arguments): Container[] {
  const filters = args.values('filter');
  const all = filterContainers(context.places, listContainers(context.places), filters);
  const last = args.flag('latest') ? 1 : Number(args.value('last') ?? -1);
  if (last >= 0) return all.slice(0, last);
  const isShown = ({ state }: Container) => isRunning(state) || state.status === 'restarting';
  return args.flag('all') || concernsAll(filters) ? all : all.filter(isShown);
}

async function sizes(context: Context): Promise<(container: Container) => { own: number; image: number }> {
  const { sizeOfContainer } = await import('../listing/sizes.ts');
  const sizeOf = await sizeOfContainer(context);
  return sizeOf;
}
