/** The lines of `ps`; on both engines. */

import type { Container, ContainerReader } from '../../container/container-reader.ts';
import type { Places } from '../../container/places.ts';
import { isRunning } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import { printRows } from '../format/printer.ts';
import { concernsAll, filterContainers } from './container-filters.ts';
import { CONTAINER_TABLE, containerRow, type RowOptions } from './container-row.ts';

export interface ContainerListing {
  readonly places: Places;
  readonly reader: ContainerReader;
  readonly nowMs: number;
  /** Where `wantsSizes` says so. */
  readonly sizeOf: (container: Container) => RowOptions['size'];
}

/** Whether sizes are to be shown, which take long to count. */
export function wantsSizes(args: Arguments): boolean {
  const format = args.value('format');
  if (args.flag('quiet') && format === undefined) return false;
  return args.flag('size') || format?.includes('.Size') === true;
}

/** @throws ContainerError */
export function containerLines(args: Arguments, { places, reader, nowMs, sizeOf }: ContainerListing): string[] {
  const chosen = choose(args, places, reader);
  const noTrunc = args.flag('no-trunc');
  const format = args.value('format');
  if (args.flag('quiet') && format === undefined) return chosen.map(({ record }) => (noTrunc ? record.Id : record.Id.slice(0, 12)));
  const rows = chosen.map((container) => containerRow(container, { nowMs, noTrunc, size: sizeOf(container) }));
  const columns = args.flag('size') ? [...CONTAINER_TABLE.columns, 'Size'] : CONTAINER_TABLE.columns;
  return printRows(rows, { ...CONTAINER_TABLE, columns }, format);
}

function choose(args: Arguments, places: Places, reader: ContainerReader): Container[] {
  const filters = args.values('filter');
  const all = filterContainers(reader.listContainers(places), filters, (text) => reader.findContainer(places, text));
  const last = args.flag('latest') ? 1 : Number(args.value('last') ?? -1);
  if (last >= 0) return all.slice(0, last);
  const isShown = ({ state }: Container) => isRunning(state) || state.status === 'restarting';
  return args.flag('all') || concernsAll(filters) ? all : all.filter(isShown);
}
