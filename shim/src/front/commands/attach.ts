import { findContainer } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { isRunning } from '../../container/record.ts';
import type { Command } from '../context.ts';
import { attachSession } from '../session/attach-session.ts';

export const attach: Command = async (context, args) => {
  const { record, state } = findContainer(context.places, args.positionals[0] ?? '');
  if (!isRunning(state)) throw new ContainerError('not-running', 'You cannot attach to a stopped container, start it first');
  if (state.status === 'paused') throw new ContainerError('conflict', 'You cannot attach to a paused container, unpause it first');
  const stdin = record.Config.OpenStdin && !args.flag('no-stdin');
  if (stdin && record.Config.Tty && !process.stdin.isTTY)
    throw new ContainerError('invalid', 'the input device is not a TTY', { exitCode: 1 });
  const result = await attachSession(context, {
    record,
    start: false,
    stdin,
    stdout: true,
    stderr: true,
    detachKeys: args.value('detach-keys'),
    proxySignals: !args.has('sig-proxy') || args.flag('sig-proxy'),
  });
  if (result.kind === 'detached') context.note('read escape sequence');
  return result.kind === 'exited' ? result.code : 0;
};
