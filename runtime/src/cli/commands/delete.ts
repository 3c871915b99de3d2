import { deleteContainer } from '../../operations/delete.ts';
import { defineCommand } from '../command.ts';
import { contextWithoutAgent } from '../context.ts';

export const deleteCommand = defineCommand({
  name: 'delete',
  flags: { force: { kind: 'switch', short: 'f' } },
  operands: [1, 1],
  run: (invocation) => {
    deleteContainer(contextWithoutAgent(invocation), { id: invocation.operands[0] ?? '', force: invocation.flags.force });
    return 0;
  },
});
