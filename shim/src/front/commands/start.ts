import { findContainer } from '../../container/containers.ts';
import { invalid } from '../../container/errors.ts';
import { isRunning } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command, Context } from '../context.ts';
import { attachSession } from '../session/attach-session.ts';

export const start: Command = async (context, args) => {
  if (args.flag('attach') || args.flag('interactive')) return await startAttached(context, args);
  return await forEach(context, args.positionals, async (text) => {
    const { record } = findContainer(context.places, text);
    const { supervise } = await context.shim();
    await supervise.Start({ id: record.Id });
    context.print(text);
  });
};

async function startAttached(context: Context, args: Arguments): Promise<number> {
  const [text = '', ...others] = args.positionals;
  if (others.length > 0) throw invalid('you cannot start and attach multiple containers at once');
  const { record, state } = findContainer(context.places, text);
  const result = await attachSession(context, {
    record,
    start: !isRunning(state),
    stdin: args.flag('interactive') && record.Config.OpenStdin,
    stdout: true,
    stderr: true,
    detachKeys: args.value('detach-keys'),
    proxySignals: true,
  });
  return result.kind === 'exited' ? result.code : 0;
}
