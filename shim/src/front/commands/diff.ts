import { toText } from '../../../../imagetool/src/archive/byte-string.ts';
import { findContainer } from '../../container/containers.ts';
import type { Command } from '../context.ts';
import { containerChanges } from '../filesystem/container-changes.ts';
import { printRows } from '../format/printer.ts';

const LETTERS = { add: 'A', modify: 'C', delete: 'D' } as const;

export const diff: Command = async (context, args) => {
  const { record } = findContainer(context.places, args.positionals[0] ?? '');
  const { changes } = containerChanges(await context.store(), record);
  const rows = changes
    .filter(({ path }) => path !== '')
    .map(({ kind, path }) => ({ Type: LETTERS[kind], Path: `/${toText(path)}` }))
    .sort((a, b) => Number(a.Path > b.Path) - Number(a.Path < b.Path));
  const format = args.value('format');
  const shape = { headers: { Type: 'CHANGE TYPE', Path: 'PATH' }, columns: ['Type', 'Path'] };
  for (const line of printRows(rows, shape, format ?? '{{.Type}} {{.Path}}')) context.print(line);
  return 0;
};
