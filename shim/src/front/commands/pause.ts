import { findContainer } from '../../container/containers.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command } from '../context.ts';

export const pause: Command = (context, args) =>
  forEach(context, args.positionals, async (text) => {
    const { record } = findContainer(context.places, text);
    const { supervise } = await context.shim();
    await supervise.Pause({ id: record.Id });
    context.print(text);
  });

export const unpause: Command = (context, args) =>
  forEach(context, args.positionals, async (text) => {
    const { record } = findContainer(context.places, text);
    const { supervise } = await context.shim();
    await supervise.Unpause({ id: record.Id });
    context.print(text);
  });
