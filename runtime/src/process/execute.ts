/** The last program of a process: what must not be done earlier, and execve(2). */
import type { AgentFds } from '../init/agent-fds.ts';
import { Program, stringArray } from '../init/program.ts';
import { CLOSE_RANGE_ALL, CLOSE_RANGE_CLOEXEC } from '../linux/prctl.ts';
import type { ExecutePlan } from '../plan/process.ts';
import { compileRlimit } from './compile.ts';

export interface ExecuteOptions {
  readonly plan: ExecutePlan;
  /** Where the command was found. */
  readonly path: string;
  /** The environment that the process gets. */
  readonly env: readonly string[];
  readonly fds: AgentFds;
}

/** Everything from the channel on becomes close-on-exec: the program has 0–2 and the preserved descriptors, and nothing of ours. */
export function executeProgram(options: ExecuteOptions): Program {
  const { plan, path, env, fds } = options;
  const program = new Program({ step: 'execute the process', configPath: 'process.args' });
  if (plan.descriptorLimit !== undefined) compileRlimit(program, plan.descriptorLimit);
  program.step('execute the process', 'process.args');
  program.call('close_range', [fds.channel, CLOSE_RANGE_ALL, CLOSE_RANGE_CLOEXEC]);
  program.call('execve', [path, stringArray(plan.args), stringArray(env)]);
  return program;
}
