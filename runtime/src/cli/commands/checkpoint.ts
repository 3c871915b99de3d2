import { checkpoint } from '../../operations/criu/checkpoint.ts';
import { agentContext } from '../agent-context.ts';
import { parseNumber, UsageError } from '../args.ts';
import { defineCommand } from '../command.ts';
import { IMAGE_FLAGS, imageOptions } from '../image-flags.ts';

const LARGEST_PORT = 65_535;

/** `ADDRESS:PORT`, the address perhaps in brackets. */
function parsePageServer(text: string): { readonly address: string; readonly port: number } {
  const [, address, port] = /^(.*):([^:]*)$/.exec(text) ?? [];
  if (address === undefined || address === '' || port === undefined) {
    throw new UsageError(`invalid value ${JSON.stringify(text)} for flag --page-server: use --page-server ADDRESS:PORT`);
  }
  return { address: address.replace(/^\[(.*)\]$/, '$1'), port: parseNumber('the port of --page-server', port, LARGEST_PORT) };
}

export const checkpointCommand = defineCommand({
  name: 'checkpoint',
  flags: {
    ...IMAGE_FLAGS,
    'parent-path': { kind: 'text' },
    'leave-running': { kind: 'switch' },
    'tcp-skip-in-flight': { kind: 'switch' },
    'pre-dump': { kind: 'switch' },
    'page-server': { kind: 'text' },
    'status-fd': { kind: 'number' },
  },
  operands: [1, 1],
  run: (invocation) => {
    const { flags, operands } = invocation;
    const parentPath = flags['parent-path'];
    const pageServer = flags['page-server'];
    checkpoint(agentContext(invocation, undefined), {
      ...imageOptions(invocation),
      id: operands[0] ?? '',
      leaveRunning: flags['leave-running'],
      preDump: flags['pre-dump'],
      parentPath: parentPath === '' ? undefined : parentPath,
      tcpSkipInFlight: flags['tcp-skip-in-flight'],
      pageServer: pageServer === undefined || pageServer === '' ? undefined : parsePageServer(pageServer),
      statusFd: flags['status-fd'],
    });
    return 0;
  },
});
