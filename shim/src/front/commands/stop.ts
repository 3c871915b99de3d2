import { parseSignal } from '../../../../runtime/src/linux/signals.ts';
import { findContainer } from '../../container/containers.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import { type ContainerState, isRunning } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command, Context } from '../context.ts';

const isActive = (state: ContainerState) => isRunning(state) || state.status === 'restarting';

export const stop: Command = async (context, args) => {
  const options = stopOptions(args);
  return await forEach(context, args.positionals, async (text) => {
    const { record, state } = findContainer(context.places, text);
    if (isActive(state) || !state.stoppedByUser) await stopOne(context, record.Id, options);
    context.print(text);
  });
};

export const restart: Command = async (context, args) => {
  const options = stopOptions(args);
  return await forEach(context, args.positionals, async (text) => {
    const { record, state } = findContainer(context.places, text);
    if (isActive(state)) await stopOne(context, record.Id, options);
    const { supervise } = await context.shim();
    await supervise.Start({ id: record.Id });
    context.print(text);
  });
};

export const kill: Command = async (context, args) => {
  const signal = signalOf(args.value('signal') ?? 'KILL');
  return await forEach(context, args.positionals, async (text) => {
    const { record, state } = findContainer(context.places, text);
    if (!isActive(state)) throw new ContainerError('not-running', `cannot kill container: ${text}: Container ${record.Id} is not running`);
    const { supervise } = await context.shim();
    await supervise.Kill({ id: record.Id, signal });
    context.print(text);
  });
};

interface StopOptions {
  readonly signal: number;
  readonly timeout: number | undefined;
}

function stopOptions(args: Arguments): StopOptions {
  const seconds = args.value('time') ?? args.value('timeout');
  const signal = args.value('signal');
  return { signal: signal === undefined ? 0 : signalOf(signal), timeout: seconds === undefined ? undefined : Number(seconds) };
}

async function stopOne(context: Context, id: string, { signal, timeout }: StopOptions): Promise<void> {
  const { supervise } = await context.shim();
  await supervise.Stop({ id, signal, ...(timeout === undefined ? {} : { timeout, hasTimeout: true }) });
}

/** @throws ContainerError invalid */
function signalOf(text: string): number {
  const signal = parseSignal(text);
  if (signal === undefined || signal === 0) throw invalid(`Invalid signal: ${text}`);
  return signal;
}
