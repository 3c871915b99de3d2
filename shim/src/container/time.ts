/** Points in time and durations, as Go and docker write them. */

import { invalid } from './errors.ts';

/** Go's zero time, which docker prints for what has not happened yet. */
export const NEVER = '0001-01-01T00:00:00Z';

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** `1h30m`, `1.5s`, `300ms`: nanoseconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (const [, number = '', unit = ''] of (match[2] ?? '').matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(number) * (UNIT_NS[unit] ?? 0);
  }
  return match[1] === '-' ? -total : total;
}

/** The other way, as Go prints durations: `1h30m0s`, `1.5s`, `0s`. */
export function formatGoDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const seconds = nanoseconds / 1e9;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

/**
 * A point in time as `--since` and `--until` take it: RFC 3339 (parts may be missing from the right), seconds since 1970 with a fraction, or a
 * duration before now. Returns milliseconds since 1970.
 * @throws ContainerError invalid
 */
export function parseTimePoint(text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = parseDuration(text);
  if (duration !== undefined) return nowMs - duration / 1e6;
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (match !== null) {
    const [, date, hours = '00', minutes = '00', seconds = '00', zone = ''] = match;
    const ms = Date.parse(`${date}T${hours}:${minutes}:${seconds}${zone}`);
    if (!Number.isNaN(ms)) return ms;
  }
  throw invalid(`${JSON.stringify(text)} is not a point in time`, 'Give 2026-01-31T12:00:00, seconds since 1970, or how long ago: 10m.');
}
