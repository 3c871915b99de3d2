/** Timing whole processes, with the processor time that they and what they have waited for took. */

import { median } from '../../runtime/bench/measure.ts';
import { call } from '../../runtime/src/linux/call.ts';
import { close, open } from '../../runtime/src/linux/files.ts';
import { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } from '../../runtime/src/linux/open-flags.ts';
import { monotonicMs } from '../../runtime/src/linux/poll.ts';
import { spawn } from '../../runtime/src/linux/spawn.ts';
import type { Sys } from '../../runtime/src/sys/sys.ts';

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

export interface Cost {
  readonly wallMs: number;
  /** User and system time, which a machine with other work to do changes less than the time on the wall. */
  readonly cpuMs: number;
}

const RUSAGE_BYTES = 144;
/** Offsets of ru_utime and ru_stime, each seconds and microseconds, in `struct rusage` (getrusage(2)). */
const TIMES = [0, 16];

/** Runs commands one after the other. A command that fails is no measurement: its words are in `log`. */
export function runCommands(sys: Sys, log: string, ...commands: readonly Command[]): Cost {
  const costs = commands.map((command) => runCommand(sys, log, command));
  return {
    wallMs: costs.reduce((sum, one) => sum + one.wallMs, 0),
    cpuMs: costs.reduce((sum, one) => sum + one.cpuMs, 0),
  };
}

function runCommand(sys: Sys, log: string, { path, args }: Command): Cost {
  const nothing = open(sys, '/dev/null', { flags: O_RDWR });
  const output = open(sys, log, { flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600 });
  const [status, usage] = [new ArrayBuffer(8), new ArrayBuffer(RUSAGE_BYTES)];
  const start = monotonicMs(sys);
  try {
    const pid = spawn(sys, {
      path,
      argv: [path, ...args],
      environ: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
      fds: [
        [nothing, 0],
        [nothing, 1],
        [output, 2],
      ],
    });
    call(sys, 'wait4', path, pid, status, 0, usage);
  } finally {
    close(sys, nothing);
    close(sys, output);
  }
  const wallMs = monotonicMs(sys) - start;
  const state = new DataView(status).getInt32(0, true);
  if (state !== 0) throw new Error(`${path} ${args.join(' ')} failed (wait status ${state}); see ${log}`);
  const view = new DataView(usage);
  const cpuMs = TIMES.reduce((sum, at) => sum + Number(view.getBigInt64(at, true)) * 1e3 + Number(view.getBigInt64(at + 8, true)) / 1e3, 0);
  return { wallMs, cpuMs };
}

/** The samples of each contestant, taken in turns. The first round warms up and does not count. */
export async function inTurns(rounds: number, contestants: readonly ((round: number) => Promise<Cost>)[]): Promise<Cost[][]> {
  const samples = contestants.map((): Cost[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const cost = await contestant(round);
      if (round > 0) samples[index]?.push(cost);
    }
  }
  return samples;
}

export function medianOf(costs: readonly Cost[], field: keyof Cost): number {
  return median(costs.map((cost) => cost[field]));
}
