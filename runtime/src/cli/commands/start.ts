import { start } from '../../operations/start.ts';
import { defineCommand } from '../command.ts';
import { contextWithoutAgent } from '../context.ts';

export const startCommand = defineCommand({
  name: 'start',
  flags: {},
  operands: [1, 1],
  run: (invocation) => {
    start(contextWithoutAgent(invocation), invocation.operands[0] ?? '');
    return 0;
  },
});
