/** Health checks: what a result makes of a container's health, and when the next check is due. */

import type { Healthcheck } from '../../../specs/image/config.ts';
import type { HealthResult, HealthState } from './record.ts';

const NS_PER_MS = 1e6;
const LOG_LENGTH = 5;
/** What is kept of a check's output. */
export const OUTPUT_LIMIT_BYTES = 4096;

export interface HealthSettings {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  /** Between checks during the start period. */
  readonly startIntervalMs: number;
  readonly retries: number;
}

/** Docker's defaults for what is not said. `shell` runs `CMD-SHELL`. */
export function healthSettings(check: Healthcheck, shell: readonly string[]): HealthSettings {
  const [kind = '', ...words] = check.Test ?? [];
  const ms = (ns: number | undefined, fallback: number) => (ns === undefined || ns === 0 ? fallback : ns / NS_PER_MS);
  return {
    command: kind === 'CMD-SHELL' ? [...shell, words.join(' ')] : words,
    intervalMs: ms(check.Interval, 30_000),
    timeoutMs: ms(check.Timeout, 30_000),
    startPeriodMs: ms(check.StartPeriod, 0),
    startIntervalMs: ms(check.StartInterval, 5_000),
    retries: check.Retries === undefined || check.Retries === 0 ? 3 : check.Retries,
  };
}

export const STARTING: HealthState = { Status: 'starting', FailingStreak: 0, Log: [] };

/** A success makes healthy at once. Failures count only after the start period, or after a first success; `retries` of them make unhealthy. */
export function afterCheck(state: HealthState, result: HealthResult, settings: HealthSettings, sinceStartMs: number): HealthState {
  const Log = [...state.Log, result].slice(-LOG_LENGTH);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  if (state.Status === 'starting' && sinceStartMs < settings.startPeriodMs) return { ...state, Log };
  const FailingStreak = state.FailingStreak + 1;
  return { Status: FailingStreak >= settings.retries ? 'unhealthy' : state.Status, FailingStreak, Log };
}

/** How long to wait from the end of one check, or the start of the container, to the next check. */
export function untilNextCheckMs(state: HealthState, settings: HealthSettings, sinceStartMs: number): number {
  const isStarting = state.Status === 'starting' && sinceStartMs < settings.startPeriodMs;
  return isStarting ? Math.min(settings.startIntervalMs, settings.intervalMs) : settings.intervalMs;
}
