import { spawnSync } from 'node:child_process';
import { findContainer } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { isRunning } from '../../container/record.ts';
import type { Command } from '../context.ts';
import { formatTable } from '../format/table.ts';

/** The host's ps, of the container's processes alone. */
export const top: Command = async (context, args) => {
  const [text = '', ...options] = args.positionals;
  const { record, state } = findContainer(context.places, text);
  if (!isRunning(state)) throw new ContainerError('not-running', `Container ${record.Id} is not running`);
  const { tasks } = await context.shim();
  const { processes } = await tasks.Pids({ id: record.Id });
  const pids = new Set(processes.map(({ pid }) => String(pid)));
  const { status, stdout, stderr, error } = spawnSync('ps', options.length === 0 ? ['-ef'] : options, { encoding: 'utf8' });
  if (error !== undefined)
    throw new ContainerError('unsupported', 'top needs the command ps on the host', { hint: 'On Debian: apt-get install procps.' });
  if (status !== 0) throw new ContainerError('invalid', `ps: ${stderr.trim()}`);
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  const titles = header.trim().split(/\s+/);
  const at = titles.indexOf('PID');
  if (at < 0) throw new ContainerError('invalid', "Couldn't find PID field in ps output");
  const rows = lines.map((line) => cellsOf(line, titles.length)).filter((cells) => pids.has(cells[at] ?? ''));
  for (const line of formatTable([titles, ...rows])) context.print(line);
  return 0;
};

/** The last column takes the rest of the line. */
function cellsOf(line: string, count: number): string[] {
  const words = line.trim().split(/\s+/);
  return [...words.slice(0, count - 1), words.slice(count - 1).join(' ')];
}
