import { pause } from '../../operations/pause.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';

export const pauseCommand = defineCommand({
  name: 'pause',
  flags: {},
  operands: [1, 1],
  run: (invocation) => {
    pause(lightContext(invocation), invocation.operands[0] ?? '');
    return 0;
  },
});
