import { findContainer } from '../../container/containers.ts';
import type { Command } from '../context.ts';
import { portLines } from '../listing/port-lines.ts';

export const port: Command = async (context, args) => {
  const [text = '', wanted] = args.positionals;
  for (const line of portLines(findContainer(context.places, text), wanted)) context.print(line);
  return 0;
};
