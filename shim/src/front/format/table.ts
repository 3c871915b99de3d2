/** Tables as Go's tabwriter lays them out for docker: left aligned, columns at least ten wide with three spaces between. */

const MIN_WIDTH = 10;
const PADDING = 3;

/** The last cell of a row is not padded; a cell's width is that of its characters. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(MIN_WIDTH, ...rows.map((row) => (column < row.length - 1 ? width(row[column] ?? '') + PADDING : 0))),
  );
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0))).join(''));
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

/** At most `limit` characters, the last one an ellipsis where something is cut. */
export function truncate(text: string, limit: number): string {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}
