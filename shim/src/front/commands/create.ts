import type { Command } from '../context.ts';
import { createContainer } from '../creation/create-container.ts';

export const create: Command = async (context, args) => {
  const { Id } = await createContainer(context, args, false);
  context.print(Id);
  return 0;
};
