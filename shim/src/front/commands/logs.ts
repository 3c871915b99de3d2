import { once } from 'node:events';
import { findContainer, readState } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { isRunning } from '../../container/record.ts';
import { parseTimePoint } from '../../container/time.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command } from '../context.ts';
import { type LogEntry, readLog } from '../logs/log-reader.ts';

export const logs: Command = async (context, args) => {
  const { record } = findContainer(context.places, args.positionals[0] ?? '');
  if (record.HostConfig.LogConfig.Type === 'none') {
    throw new ContainerError('unsupported', 'configured logging driver does not support reading', {
      hint: 'It was made with --log-driver none.',
    });
  }
  const now = Date.now();
  const time = (name: string, fallback: number) => (args.has(name) ? parseTimePoint(args.value(name) ?? '', now) : fallback);
  const mayGrow = () => {
    const state = readState(context.places, record.Id);
    return isRunning(state) || state.status === 'restarting';
  };
  const entries = readLog({
    path: record.LogPath,
    tail: tailOf(args.value('tail')),
    sinceMs: time('since', Number.NEGATIVE_INFINITY),
    untilMs: time('until', Number.POSITIVE_INFINITY),
    mayGrow: args.flag('follow') ? mayGrow : undefined,
  });
  for await (const entry of entries) await print(entry, args);
  return 0;
};

async function print(entry: LogEntry, args: Arguments): Promise<void> {
  const time = args.flag('timestamps') ? `${nanosecondTime(entry.time)} ` : '';
  const details = args.flag('details') ? `${detailsOf(entry)} ` : '';
  const stream = entry.stream === 'stderr' ? process.stderr : process.stdout;
  if (!stream.write(time + details + entry.log)) await once(stream, 'drain');
}

/** Bad and negative numbers mean all, as with docker. */
function tailOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** RFC 3339 with nine digits. */
function nanosecondTime(time: string): string {
  return time.replace(/(?:\.(\d+))?Z$/, (_, digits: string | undefined) => `.${(digits ?? '').padEnd(9, '0')}Z`);
}

function detailsOf({ attrs = {} }: LogEntry): string {
  return Object.entries(attrs)
    .sort(([a], [b]) => Number(a > b) - 0.5)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
