/** When a container is started again after its end, and after how long: docker's rules. */

import type { RestartPolicy } from './record.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;
/** A run this long was a success: the next failure begins again with the shortest delay. */
const GOOD_RUN_MS = 10_000;

export interface RestartQuestion {
  readonly policy: RestartPolicy;
  readonly exitCode: number;
  /** Restarts so far. */
  readonly restartCount: number;
  /** The user stopped or killed it. */
  readonly stoppedByUser: boolean;
}

export function shouldRestart({ policy, exitCode, restartCount, stoppedByUser }: RestartQuestion): boolean {
  if (stoppedByUser) return false;
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.MaximumRetryCount === 0 || restartCount < policy.MaximumRetryCount);
    default:
      return false;
  }
}

/** The delay before the next start. `previousMs`: the one before the run that has ended; 0 for the first. */
export function nextDelayMs(previousMs: number, ranMs: number): number {
  if (previousMs === 0 || ranMs >= GOOD_RUN_MS) return FIRST_DELAY_MS;
  return Math.min(previousMs * 2, MAX_DELAY_MS);
}

/** Whether `system start` brings it back after the machine, or the shim, was down. */
export function startsWithSystem(policy: RestartPolicy, wasStoppedByUser: boolean): boolean {
  return policy.Name === 'always' || (policy.Name === 'unless-stopped' && !wasStoppedByUser);
}
