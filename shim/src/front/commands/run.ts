import { ContainerError, invalid } from '../../container/errors.ts';
import type { ContainerRecord } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { createContainer } from '../creation/create-container.ts';
import { attachSession } from '../session/attach-session.ts';
import { parseDetachKeys } from '../session/detach-keys.ts';

export const run: Command = async (context, args) => {
  const isDetached = args.flag('detach');
  const detachKeys = args.value('detach-keys');
  if (detachKeys !== undefined) parseDetachKeys(detachKeys);
  if (args.flag('tty') && args.flag('interactive') && !isDetached && !process.stdin.isTTY) {
    throw new ContainerError('invalid', 'the input device is not a TTY', { exitCode: 1, hint: 'Without -t it takes any input.' });
  }
  if (isDetached && args.has('detach-keys') && args.flag('sig-proxy')) throw invalid('Conflicting options: -d and --sig-proxy');
  // While the container is made, the process that will hold it may come up.
  const shim = context.shim();
  shim.catch(() => undefined);
  const record = await createContainer(context, args, isDetached);
  try {
    return isDetached ? await inBackground(context, record) : await inForeground(context, args, record);
  } catch (error) {
    if (record.HostConfig.AutoRemove) await removed(context, record);
    throw error;
  }
};

async function inBackground(context: Context, record: ContainerRecord): Promise<number> {
  const { supervise } = await context.shim();
  context.print(record.Id);
  await supervise.Start({ id: record.Id });
  return 0;
}

async function inForeground(context: Context, args: Arguments, record: ContainerRecord): Promise<number> {
  const { AttachStdin, AttachStdout, AttachStderr, OpenStdin } = record.Config;
  const result = await attachSession(context, {
    record,
    start: true,
    stdin: AttachStdin && OpenStdin,
    stdout: AttachStdout,
    stderr: AttachStderr,
    detachKeys: args.value('detach-keys'),
    proxySignals: !args.has('sig-proxy') || args.flag('sig-proxy'),
  });
  return result.kind === 'exited' ? result.code : 0;
}

async function removed(context: Context, record: ContainerRecord): Promise<void> {
  const { supervise } = await context.shim();
  // It may be gone already.
  await supervise.Remove({ id: record.Id, force: true, volumes: true }).catch(() => undefined);
}
