/** Durations as Go programs write them. */
import { UsageError } from './args.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of "5s", "1m30s", "500ms"; a bare number is seconds. */
export function parseDurationMs(what: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const parts = /^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text) ? [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)] : [];
  const milliseconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS_MS[unit ?? ''] ?? 0), 0);
  if (milliseconds > 0) return milliseconds;
  throw new UsageError(`invalid value ${JSON.stringify(text)} for ${what}: it is a duration such as 5s or 500ms`);
}
