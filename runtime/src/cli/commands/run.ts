import { run } from '../../operations/run.ts';
import { agentContext } from '../agent-context.ts';
import { defineCommand } from '../command.ts';
import { CREATE_FLAGS, createOptions } from '../create-flags.ts';

export const runCommand = defineCommand({
  name: 'run',
  flags: {
    ...CREATE_FLAGS,
    detach: { kind: 'switch', short: 'd' },
    keep: { kind: 'switch' },
    'no-subreaper': { kind: 'switch' },
  },
  operands: [1, 1],
  errorPrefix: 'tsrun run failed',
  run: (invocation) => {
    const { flags } = invocation;
    return run(agentContext(invocation, flags['preserve-fds']), {
      ...createOptions(invocation),
      detach: flags.detach,
      keep: flags.keep,
      noSubreaper: flags['no-subreaper'],
      consoleSocketPath: flags['console-socket'],
    });
  },
});
