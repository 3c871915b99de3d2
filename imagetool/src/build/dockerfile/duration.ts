/** Durations as Go writes them: `1h30m`, `1.5s`, `300ms`. https://pkg.go.dev/time#ParseDuration */

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00B5s': 1e3,
  '\u03BCs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** In nanoseconds, whole; undefined where the text is no duration, or more than 104 days, which no number holds exactly. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const [, sign, rest = ''] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00B5s|\u03BCs|ms|s|m|h))+)$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  let total = 0;
  for (const [, amount, unit] of rest.matchAll(/([\d.]+)([^\d.]+)/g)) total += Number(amount) * (NANOSECONDS[unit ?? ''] ?? 0);
  const whole = Math.round(total);
  if (!Number.isSafeInteger(whole)) return undefined;
  return sign === '-' ? -whole : whole;
}
