/** SOURCE_DATE_EPOCH (reproducible-builds.org): seconds since 1970 that stand for now. */

import { usage } from './args.ts';

export function sourceEpoch(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,11}$/.test(text)) throw usage(`SOURCE_DATE_EPOCH is not a number of seconds: ${JSON.stringify(text)}`);
  return Number(text);
}

export function createdTime(epochSeconds: number | undefined): string {
  return epochSeconds === undefined ? new Date().toISOString() : new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
}
