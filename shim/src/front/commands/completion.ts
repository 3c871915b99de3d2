import { invalid } from '../../container/errors.ts';
import { bashScript, zshScript } from '../cli/completion.ts';
import type { Command } from '../context.ts';

export const completion: Command = async (context, args) => {
  const shell = args.positionals[0] ?? '';
  if (shell !== 'bash' && shell !== 'zsh') throw invalid(`there is no completion for ${shell}`, 'There is bash and zsh.');
  context.print(shell === 'bash' ? bashScript() : zshScript());
  return 0;
};
