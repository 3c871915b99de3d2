import { nodeContainerReader } from '../../container/containers.ts';
import type { Command } from '../context.ts';
import { containerLines, wantsSizes } from '../listing/container-list.ts';

export const ps: Command = async (context, args) => {
  const sizeOf = wantsSizes(args) ? await (await import('../listing/sizes.ts')).sizeOfContainer(context) : () => undefined;
  const { places } = context;
  const lines = containerLines(args, { places, reader: nodeContainerReader, nowMs: Date.now(), sizeOf });
  for (const line of lines) context.print(line);
  return 0;
};
