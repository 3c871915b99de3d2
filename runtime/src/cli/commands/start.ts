import { start } from '../../operations/start.ts';
import { parseContainerId } from '../../spec/container-id.ts';
import { defineCommand } from '../command.ts';
import { contextWithoutAgent } from '../context.ts';

export const startCommand = defineCommand({
  name: 'start',
  flags: {},
  operands: [1, 1],
  run: (invocation) => {
    start(contextWithoutAgent(invocation), parseContainerId(invocation.operands[0] ?? ''));
    return 0;
  },
});
