import { findContainer } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { userOf } from '../../container/in-container.ts';
import { isRunning } from '../../container/record.ts';
import { rootfsPaths } from '../../container/rootfs.ts';
import { execProcess } from '../../container/runtime-config.ts';
import type { Command } from '../context.ts';
import { environmentOf } from '../options/environment.ts';
import { execSession } from '../session/exec-session.ts';

export const exec: Command = async (context, args) => {
  const [text = '', ...words] = args.positionals;
  const { record, state } = findContainer(context.places, text);
  if (!isRunning(state)) throw new ContainerError('not-running', `Container ${record.Id} is not running`);
  if (state.status === 'paused')
    throw new ContainerError('conflict', `Container ${record.Name} is paused, unpause the container before exec`);
  const [tty, interactive] = [args.flag('tty'), args.flag('interactive')];
  const isDetached = args.flag('detach');
  if (tty && interactive && !isDetached && !process.stdin.isTTY) {
    throw new ContainerError('invalid', 'the input device is not a TTY', { exitCode: 1, hint: 'Without -t it takes any input.' });
  }
  const sys = await context.sys();
  const rootfs = rootfsPaths(await context.store(), record.Id).merged;
  const user = args.value('user') ?? record.Config.User ?? '';
  const process_ = execProcess(record, {
    args: words,
    env: environmentOf(record.Config.Env ?? [], args.values('env'), args.values('env-file'), context.env),
    cwd: args.value('workdir'),
    tty,
    privileged: args.flag('privileged'),
    user: userOf(sys, rootfs, user, args.has('user') ? [] : record.HostConfig.GroupAdd),
  });
  return await execSession(context, {
    record,
    process: process_,
    tty,
    stdin: interactive && !isDetached,
    isDetached,
    detachKeys: args.value('detach-keys'),
  });
};
