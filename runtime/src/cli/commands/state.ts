import { state } from '../../operations/state.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { print } from '../output.ts';

export const stateCommand = defineCommand({
  name: 'state',
  flags: {},
  operands: [1, 1],
  run: (invocation) => {
    const found = state(lightContext(invocation), invocation.operands[0] ?? '');
    print(invocation.sys, `${JSON.stringify(found, undefined, 2)}\n`);
    return 0;
  },
});
