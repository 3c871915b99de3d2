import { create } from '../../operations/create.ts';
import { agentContext } from '../agent-context.ts';
import { defineCommand } from '../command.ts';
import { connectedSockets } from '../connected-sockets.ts';
import { CREATE_FLAGS, createOptions } from '../create-flags.ts';
import { sendInitPidfd } from '../pidfd-socket.ts';

export const createCommand = defineCommand({
  name: 'create',
  flags: CREATE_FLAGS,
  operands: [1, 1],
  errorPrefix: 'tsrun create failed',
  run: (invocation) => {
    const { sys, flags, operands } = invocation;
    const context = agentContext(invocation, flags['preserve-fds']);
    const sockets = connectedSockets(sys, { console: flags['console-socket'], pidfd: flags['pidfd-socket'] });
    const { record } = create(context, {
      ...createOptions(sys, operands[0] ?? '', flags),
      ...(sockets.console === undefined ? {} : { consoleFd: sockets.console }),
      ...(flags['pid-file'] === undefined ? {} : { pidFile: flags['pid-file'] }),
    });
    if (sockets.pidfd !== undefined) sendInitPidfd(context, record, sockets.pidfd);
    return 0;
  },
});
