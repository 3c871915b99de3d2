import { findContainer } from '../../container/containers.ts';
import { isRunning } from '../../container/record.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command } from '../context.ts';

export const wait: Command = (context, args) =>
  forEach(context, args.positionals, async (text) => {
    const { record, state } = findContainer(context.places, text);
    if (!isRunning(state) && state.status !== 'restarting') {
      context.print(String(state.exitCode));
      return;
    }
    const { supervise } = await context.shim();
    const { code } = await supervise.Wait({ id: record.Id });
    context.print(String(code));
  });
