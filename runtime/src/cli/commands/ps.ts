import { pids } from '../../operations/ps.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { outputFormat } from '../format.ts';
import { print } from '../output.ts';
import { runPs, selectRows } from '../ps-table.ts';

export const psCommand = defineCommand({
  name: 'ps',
  flags: { format: { kind: 'text', short: 'f' } },
  operands: [1, Number.POSITIVE_INFINITY],
  stopAtOperand: true,
  run: (invocation) => {
    const { sys, operands, flags } = invocation;
    const [id = '', ...psArgs] = operands;
    const format = outputFormat(flags.format);
    const found = pids(lightContext(invocation), id);
    if (format === 'json') print(sys, `${JSON.stringify(found)}\n`);
    else print(sys, selectRows(runPs(sys, psArgs.length === 0 ? ['-ef'] : psArgs), found));
    return 0;
  },
});
