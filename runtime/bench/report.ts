/** What was measured, for people and for machines. */

export interface Row {
  readonly topic: string;
  readonly what: string;
  /** Contestant to the median of its samples, in `unit`. */
  readonly medians: Readonly<Record<string, number>>;
  readonly unit: 'ms' | 'KiB';
  /** Ratios to peers, or the value itself, against the goal that the project has set. */
  readonly goals: readonly Goal[];
}

export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
}

export function formatRow(row: Row): string {
  const digits = row.unit === 'ms' ? 2 : 0;
  const medians = Object.entries(row.medians).map(([name, value]) => `${name} ${value.toFixed(digits)} ${row.unit}`);
  const goals = row.goals.map(({ name, value, limit }) => {
    const verdict = value <= limit ? 'reached' : 'MISSED';
    return `    ${name}: ${value.toFixed(2)} (goal ${limit}, ${verdict})`;
  });
  return [`${row.topic}: ${row.what}`, `    ${medians.join('   ')}`, ...goals].join('\n');
}
