import { events } from '../../operations/events.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { parseDurationMs } from '../duration.ts';
import { print } from '../output.ts';

const DEFAULT_INTERVAL = '5s';

export const eventsCommand = defineCommand({
  name: 'events',
  flags: { interval: { kind: 'text' }, stats: { kind: 'switch' } },
  operands: [1, 1],
  run: (invocation) => {
    const { flags, operands, sys } = invocation;
    const intervalMs = parseDurationMs('--interval', flags.interval ?? DEFAULT_INTERVAL);
    events(lightContext(invocation), { id: operands[0] ?? '', once: flags.stats, intervalMs }, (line) => print(sys, `${line}\n`));
    return 0;
  },
});
