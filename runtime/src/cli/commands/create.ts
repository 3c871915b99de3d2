import { connectSocket } from '../../console/console-socket.ts';
import { create } from '../../operations/create.ts';
import { agentContext } from '../agent-context.ts';
import { defineCommand } from '../command.ts';
import { CREATE_FLAGS, createOptions } from '../create-flags.ts';

export const createCommand = defineCommand({
  name: 'create',
  flags: CREATE_FLAGS,
  operands: [1, 1],
  errorPrefix: 'tsrun create failed',
  run: (invocation) => {
    const { sys, flags } = invocation;
    const context = agentContext(invocation, flags['preserve-fds']);
    const socket = flags['console-socket'];
    const consoleFd = socket === undefined ? undefined : connectSocket(sys, socket);
    create(context, { ...createOptions(invocation), consoleFd });
    return 0;
  },
});
