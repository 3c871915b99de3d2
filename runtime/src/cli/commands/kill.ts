import { parseSignal } from '../../linux/signals.ts';
import { kill, unknownSignal } from '../../operations/kill.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';

export const killCommand = defineCommand({
  name: 'kill',
  flags: { all: { kind: 'switch', short: 'a' } },
  operands: [1, 2],
  run: (invocation) => {
    const [id = '', name = 'TERM'] = invocation.operands;
    const signal = parseSignal(name);
    if (signal === undefined) throw unknownSignal(name);
    kill(lightContext(invocation), { id, signal, all: invocation.flags.all });
    return 0;
  },
});
