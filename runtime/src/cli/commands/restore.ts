import { restore } from '../../operations/criu/restore.ts';
import { agentContext } from '../agent-context.ts';
import { defineCommand } from '../command.ts';
import { CREATE_FLAGS, createOptions } from '../create-flags.ts';
import { IMAGE_FLAGS, imageOptions } from '../image-flags.ts';

export const restoreCommand = defineCommand({
  name: 'restore',
  flags: {
    ...CREATE_FLAGS,
    ...IMAGE_FLAGS,
    detach: { kind: 'switch', short: 'd' },
    keep: { kind: 'switch' },
    'no-subreaper': { kind: 'switch' },
    'tcp-close': { kind: 'switch' },
    'lsm-profile': { kind: 'text' },
    'lsm-mount-context': { kind: 'text' },
  },
  operands: [1, 1],
  errorPrefix: 'tsrun restore failed',
  run: (invocation) => {
    const { flags } = invocation;
    return restore(agentContext(invocation, flags['preserve-fds']), {
      ...createOptions(invocation),
      ...imageOptions(invocation),
      detach: flags.detach,
      keep: flags.keep,
      noSubreaper: flags['no-subreaper'],
      consoleSocketPath: flags['console-socket'],
      tcpClose: flags['tcp-close'],
      lsmProfile: flags['lsm-profile'] === '' ? undefined : flags['lsm-profile'],
      lsmMountContext: flags['lsm-mount-context'] === '' ? undefined : flags['lsm-mount-context'],
    });
  },
});
