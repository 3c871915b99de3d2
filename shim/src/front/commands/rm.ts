import { findContainer, findId } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { messageOf } from '../../container/files.ts';
import { type ContainerRecord, isRunning } from '../../container/record.ts';
import { removeBroken, removeStopped } from '../../container/removal.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command, Context } from '../context.ts';

export const rm: Command = async (context, args) => {
  const [force, volumes] = [args.flag('force'), args.flag('volumes')];
  return await forEach(context, args.positionals, async (text) => {
    const { record, state } = found(context, text, force);
    if (record === undefined) {
      await removeRemains(context, text);
      return;
    }
    const isActive = isRunning(state) || state.status === 'restarting';
    if (isActive && !force) {
      throw new ContainerError(
        'in-use',
        `cannot remove container "/${record.Name}": container is running: stop the container before removing or force remove`,
      );
    }
    if (isActive) await removeActive(context, record, volumes, state.pid);
    else removeStopped(record, { store: await context.store(), places: context.places, volumes });
    context.print(text);
  });
};

/** With -f, what is not there is only said. */
function found(context: Context, text: string, force: boolean) {
  try {
    return findContainer(context.places, text);
  } catch (error) {
    if (!(force && error instanceof ContainerError && error.code === 'no-such-container')) throw error;
    context.note(`tsctl: ${error.message}`);
    return { record: undefined, state: undefined };
  }
}

/** Of a container whose record cannot be read: it is none, but its name and its files are still there. */
async function removeRemains(context: Context, text: string): Promise<void> {
  let id: string;
  try {
    id = findId(context.places, text);
  } catch {
    return;
  }
  removeBroken(id, text.replace(/^\//, ''), { store: await context.store(), places: context.places });
}

/** Where nobody answers for the container, its process is ended from here: `rm -f` always works. */
async function removeActive(context: Context, record: ContainerRecord, volumes: boolean, pid: number): Promise<void> {
  try {
    const { supervise } = await context.shim();
    await supervise.Remove({ id: record.Id, force: true, volumes });
  } catch (error) {
    context.note(`tsctl: ${messageOf(error)}`);
    if (pid > 0) process.kill(pid, 'SIGKILL');
    removeStopped(record, { store: await context.store(), places: context.places, volumes });
  }
}
