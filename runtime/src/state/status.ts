/** What a container is doing, and what may be done with it (runtime.md, "State" and "Operations"). */
import type { Status } from '../../../specs/runtime/state.ts';
import { processStat } from '../linux/processes.ts';
import type { Sys } from '../sys/sys.ts';
import type { ContainerRecord } from './record.ts';

/** The init process runs: same pid, same start, no zombie. */
export function isAlive(sys: Sys, record: ContainerRecord): boolean {
  if (record.pid <= 0) return false;
  const stat = processStat(sys, record.pid);
  return stat !== undefined && stat.startTime === record.startTime && stat.state !== 'Z' && stat.state !== 'X';
}

export interface StatusFacts {
  readonly alive: boolean;
  /** The start gate is there. */
  readonly gate: boolean;
  readonly frozen: boolean;
  /** The record names no process yet. */
  readonly creating: boolean;
}

export function statusOf(facts: StatusFacts): Status {
  if (facts.creating) return 'creating';
  if (!facts.alive) return 'stopped';
  if (facts.gate) return 'created';
  return facts.frozen ? 'paused' : 'running';
}
