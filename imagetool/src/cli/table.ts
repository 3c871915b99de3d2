/** Tables as docker prints them: left aligned, three spaces between columns, ten characters at least. */

const MIN_WIDTH = 10;
const GAP = '   ';

export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title) => Math.max(MIN_WIDTH - GAP.length, widthOf(title)));
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    });
  const last = header.length - 1;
  return [header, ...rows].map((row) =>
    row.map((cell, column) => (column === last ? cell : cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))).join(GAP),
  );
}

/** Characters, not UTF-16 units. */
function widthOf(cell: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  return /^[\x00-\x7f]*$/.test(cell) ? cell.length : [...cell].length;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal, three significant digits: `0B`, `35.6kB`, `109MB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 and more would be rounded to four digits.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${UNITS[unit]}`;
}

/** `2 days ago`, in docker's words. Undefined and unreadable times are `N/A`. */
export function formatAge(time: string | undefined, nowMs: number): string {
  const then = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(then) ? 'N/A' : `${formatDuration(Math.max(0, nowMs - then) / 1000)} ago`;
}

export function formatDuration(seconds: number): string {
  const [minutes, hours] = [seconds / 60, seconds / 3600];
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  if (minutes < 2) return 'About a minute';
  if (minutes < 60) return `${Math.floor(minutes)} minutes`;
  const rounded = Math.floor(hours + 0.5);
  if (rounded === 1) return 'About an hour';
  if (rounded < 48) return `${rounded} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  return days < 730 ? `${Math.floor(days / 30)} months` : `${Math.floor(days / 365)} years`;
}
