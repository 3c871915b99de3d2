/** `--format`: a table of chosen columns, a template a line, or JSON a line. */

import { invalid } from '../../container/errors.ts';
import { formatTable } from './table.ts';
import { compileTemplate } from './template.ts';

/** A row: what templates call the fields, and what they show. */
export type Row = Readonly<Record<string, unknown>>;

export interface TableShape {
  /** Header of each field, as in `{ ID: 'CONTAINER ID' }`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the table that is printed where no format is given. */
  readonly columns: readonly string[];
}

/** The lines of the output. @throws ContainerError invalid */
export function printRows(rows: readonly Row[], shape: TableShape, format: string | undefined): string[] {
  if (format === undefined || format === '' || format === 'table')
    return formatTable([headers(shape), ...rows.map((row) => cells(row, shape.columns))]);
  if (format === 'json') return rows.map((row) => JSON.stringify(textsOf(row)));
  if (!format.startsWith('table ')) {
    const template = compileTemplate(format);
    return rows.map((row) => template(row));
  }
  const template = compileTemplate(format.slice('table '.length).trim());
  const table = [shape.headers as Row, ...rows].map((row) => template(row).split('\t'));
  if (table[0]?.some((header) => header === '<no value>') === true) throw invalid(`no such column in ${format}`);
  return formatTable(table);
}

function headers(shape: TableShape): string[] {
  return shape.columns.map((column) => shape.headers[column] ?? column.toUpperCase());
}

function cells(row: Row, columns: readonly string[]): string[] {
  return columns.map((column) => String(row[column] ?? ''));
}

/** Docker's JSON lines hold the texts of the table. */
function textsOf(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, typeof value === 'object' && value !== null ? value : String(value)]),
  );
}

/** `-f key=value` words, by key. @throws ContainerError invalid */
export function parseFilters(words: readonly string[], known: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const filters = new Map<string, string[]>();
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 0) throw invalid(`invalid argument "${word}" for "-f, --filter" flag: bad format of filter (expected name=value)`);
    const name = word.slice(0, equals).trim().toLowerCase();
    if (!known.includes(name)) throw invalid(`invalid filter '${name}'`, `There are ${known.join(', ')}.`);
    filters.set(name, [...(filters.get(name) ?? []), word.slice(equals + 1)]);
  }
  return filters;
}
