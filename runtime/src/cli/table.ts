const LEAST_WIDTH = 12;
const GAP = 3;

/** Columns as Go's tabwriter makes them for runc: at least 12 wide, 3 spaces between, the last one as long as it is. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(LEAST_WIDTH, ...rows.map((row) => [...(row[column] ?? '')].length + GAP)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === columns - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}
