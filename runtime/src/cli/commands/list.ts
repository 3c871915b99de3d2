import { list, listIds } from '../../operations/list.ts';
import type { ContainerState } from '../../operations/state.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { outputFormat } from '../format.ts';
import { print } from '../output.ts';
import { formatTable } from '../table.ts';

export const listCommand = defineCommand({
  name: 'list',
  flags: { format: { kind: 'text', short: 'f' }, quiet: { kind: 'switch', short: 'q' } },
  operands: [0, 0],
  run: (invocation) => {
    const { sys, flags } = invocation;
    const format = outputFormat(flags.format);
    const context = lightContext(invocation);
    if (flags.quiet)
      print(
        sys,
        listIds(context)
          .map((id) => `${id}\n`)
          .join(''),
      );
    else if (format === 'json') print(sys, `${JSON.stringify(list(context))}\n`);
    else print(sys, containerTable(list(context)));
    return 0;
  },
});

function containerTable(containers: readonly ContainerState[]): string {
  const rows = containers.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner]);
  return formatTable([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], ...rows]);
}
