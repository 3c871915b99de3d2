/** The last program of a process: what must not be done earlier, and execve(2). */
import type { AgentFds } from '../init/agent-fds.ts';
import { Program, stringArray } from '../init/program.ts';
import { CLOSE_RANGE_ALL, CLOSE_RANGE_CLOEXEC } from '../linux/prctl.ts';
import type { ExecutePlan } from '../plan/process.ts';
import type { Filter } from '../seccomp/filter.ts';
import type { Architecture } from '../sys/sys.ts';
import { compileRlimit } from './compile.ts';
import { appendFailure, appendFilter, type FilterLoad } from './load-filter.ts';

export interface ExecuteOptions {
  readonly plan: ExecutePlan;
  /** Where the command was found. */
  readonly path: string;
  /** The environment that the process gets. */
  readonly env: readonly string[];
  readonly fds: AgentFds;
  /** The number of the channel that the program comes through, for a filter's listener. */
  readonly channelFd: number;
  readonly arch: Architecture;
  readonly filter: Filter | undefined;
}

/** Everything from the channel on becomes close-on-exec: the program has 0–2 and the preserved descriptors, and nothing of ours. */
export function executeProgram(options: ExecuteOptions): Program {
  const { plan, path, env, fds, filter } = options;
  const { descriptorLimit } = plan;
  const program = new Program({ step: 'execute the process', configPath: 'process.args' });
  if (descriptorLimit !== undefined && filter === undefined) compileRlimit(program, descriptorLimit);
  program.step('execute the process', 'process.args');
  program.call('close_range', [fds.channel, CLOSE_RANGE_ALL, CLOSE_RANGE_CLOEXEC]);
  const load: FilterLoad | undefined = filter === undefined ? undefined : { ...options, filter, descriptorLimit };
  if (load !== undefined) appendFilter(program, load);
  program.step('execute the process', 'process.args');
  const execve = program.call('execve', [path, stringArray(plan.args), stringArray(env)]);
  if (load !== undefined) appendFailure(program, load, execve);
  return program;
}
