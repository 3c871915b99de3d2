/** Timing whole processes, each compared with its peer in turns: A B C, A B C, …, so that what the machine does meanwhile meets all alike. */

import { JUMP_IF_ZERO } from '../src/init/agent/protocol.ts';
import { openAgentImage, startAgent } from '../src/init/agent-process.ts';
import { InitProcess } from '../src/init/init-process.ts';
import { Program, stringArray } from '../src/init/program.ts';
import { close, open } from '../src/linux/files.ts';
import { O_RDWR } from '../src/linux/open-flags.ts';
import { monotonicMs } from '../src/linux/poll.ts';
import { shellStatus, waitForExit } from '../src/linux/processes.ts';
import { spawn } from '../src/linux/spawn.ts';
import type { Sys } from '../src/sys/sys.ts';

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

export interface Run {
  readonly wallMs: number;
  readonly status: number;
}

/** Runs a command with /dev/null as its standard streams. */
export function timeCommand(sys: Sys, command: Command): Run {
  const nothing = open(sys, '/dev/null', { flags: O_RDWR });
  const start = monotonicMs(sys);
  const pid = spawn(sys, {
    path: command.path,
    argv: [command.path, ...command.args],
    environ: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
    fds: [
      [nothing, 0],
      [nothing, 1],
      [nothing, 2],
    ],
  });
  const exit = waitForExit(sys, pid);
  const wallMs = monotonicMs(sys) - start;
  close(sys, nothing);
  return { wallMs, status: exit === undefined ? -1 : shellStatus(exit) };
}

/** As `timeCommand`; a command that fails is no measurement. */
export function timeSuccess(sys: Sys, command: Command): number {
  const { wallMs, status } = timeCommand(sys, command);
  if (status !== 0) throw new Error(`${command.path} ${command.args.join(' ')} exited with ${status}`);
  return wallMs;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The samples of each contestant, taken in turns. The first round warms up and does not count. */
export function inTurns(rounds: number, contestants: readonly ((round: number) => number)[]): number[][] {
  const samples = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const value = contestant(round);
      if (round > 0) samples[index]?.push(value);
    }
  }
  return samples;
}

/** The median of the ratios round by round: a machine that slows down in the middle slows both. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? value)));
}

const RUSAGE_BYTES = 144;
/** Offset of ru_maxrss, in KiB, in `struct rusage` (getrusage(2)). */
const MAXRSS_OFFSET = 32;
const CHANNEL = 5;
const SIGCHLD = 17;

/**
 * Peak resident memory in KiB of a command alone. The kernel counts what a process was before execve(2), too: its parent's memory, after a fork. So
 * the init agent, which has a few pages, is the parent.
 */
export function peakMemoryKiB(sys: Sys, command: Command): number {
  const image = openAgentImage(sys);
  const nothing = open(sys, '/dev/null', { flags: O_RDWR });
  const agent = startAgent(sys, { image, fds: [0, 1, 2].map((stream) => [nothing, stream] as const), channelFd: CHANNEL });
  const init = new InitProcess(sys, agent.pid, agent.channel);
  const program = new Program({ step: 'measure' });
  const usage = program.output(RUSAGE_BYTES);
  const status = program.output(8);
  const inChild = program.place();
  const end = program.place();
  const pid = program.call('clone', [SIGCHLD, 0, 0, 0, 0]);
  program.jumpTo(inChild, JUMP_IF_ZERO);
  program.call('wait4', [pid, status, 0, usage]);
  program.jump(end);
  program.here(inChild);
  program.call('close', [CHANNEL]);
  program.call('execve', [command.path, stringArray([command.path, ...command.args]), stringArray([])]);
  program.here(end);
  try {
    const results = init.run(program);
    if (new DataView(results.output(status)).getInt32(0, true) !== 0) throw new Error(`${command.path} ${command.args.join(' ')} failed`);
    return new DataView(results.output(usage)).getInt32(MAXRSS_OFFSET, true);
  } finally {
    init.release();
    waitForExit(sys, agent.pid);
    close(sys, nothing);
    close(sys, image);
  }
}
