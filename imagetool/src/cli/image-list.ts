/** What `tsimg images` takes and prints, on both engines. */

import type { ListedImage } from '../image/listing.ts';
import type { ParsedArgs } from './args.ts';
import type { CommandForm } from './command-form.ts';
import { JSON_OUTPUT, QUIET } from './options.ts';
import { formatAge, formatSize, formatTable } from './table.ts';

export const IMAGES: CommandForm = {
  name: 'images',
  usage: '[OPTIONS]',
  summary: 'List the images of the store',
  options: [QUIET, JSON_OUTPUT, { name: 'digests', help: 'show manifest digests' }, { name: 'no-trunc', help: 'show whole ids' }],
  positionals: [0, 0],
};

/** The lines to print. */
export function imageLines(rows: readonly ListedImage[], args: ParsedArgs, nowMs: number): string[] {
  const isLong = args.flag('no-trunc');
  if (args.flag('json')) return [JSON.stringify(rows, undefined, 2)];
  if (args.flag('quiet')) return [...new Set(rows.map((row) => (isLong ? row.id : shortId(row.id))))];
  const hasDigests = args.flag('digests');
  return formatTable(
    ['REPOSITORY', 'TAG', ...(hasDigests ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE'],
    rows.map((row) => [
      row.repository,
      row.tag,
      ...(hasDigests ? [row.digest] : []),
      isLong ? row.id : shortId(row.id),
      formatAge(row.created, nowMs),
      row.size === undefined ? 'N/A' : formatSize(row.size),
    ]),
  );
}

function shortId(id: string): string {
  return id.slice(id.indexOf(':') + 1).slice(0, 12);
}
