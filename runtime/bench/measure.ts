/** Timing whole processes, each compared with its peer in turns: A B C, A B C, …, so that what the machine does meanwhile meets all alike. */
import { call } from '../src/linux/call.ts';
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

/** Peak resident memory in KiB of a command alone, by a small parent that waits for it: a large one would be counted along. */
export function peakMemoryKiB(sys: Sys, busybox: string, command: Command, outputPath: string): number {
  const script = `exec ${busybox} time -f %M -o ${outputPath} "$@" </dev/null >/dev/null 2>&1`;
  timeSuccess(sys, { path: '/bin/sh', args: ['-c', script, 'sh', command.path, ...command.args] });
  const fd = open(sys, outputPath);
  const buffer = new ArrayBuffer(64);
  const length = call(sys, 'read', outputPath, fd, buffer, 64);
  close(sys, fd);
  return Number.parseInt(sys.decode(buffer, 0, length), 10);
}
