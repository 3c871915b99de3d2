import { resume } from '../../operations/pause.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';

export const resumeCommand = defineCommand({
  name: 'resume',
  flags: {},
  operands: [1, 1],
  run: (invocation) => {
    resume(lightContext(invocation), invocation.operands[0] ?? '');
    return 0;
  },
});
