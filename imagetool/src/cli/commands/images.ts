import { type ListedImage, readListing } from '../../image/listing.ts';
import { hostPlatform } from '../../image/platform.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT, QUIET } from '../options.ts';
import { formatAge, formatSize, formatTable } from '../table.ts';

export const images: Command = {
  name: 'images',
  usage: '[OPTIONS]',
  summary: 'List the images of the store',
  options: [QUIET, JSON_OUTPUT, { name: 'digests', help: 'show manifest digests' }, { name: 'no-trunc', help: 'show whole ids' }],
  positionals: [0, 0],
  async run(context, args) {
    const rows = await readListing(context.layout(), hostPlatform());
    if (args.flag('json')) context.print(JSON.stringify(rows, undefined, 2));
    else if (args.flag('quiet'))
      for (const id of new Set(rows.map((row) => (args.flag('no-trunc') ? row.id : shortId(row.id))))) context.print(id);
    else context.print(table(rows, { digests: args.flag('digests'), isLong: args.flag('no-trunc') }).join('\n'));
    return 0;
  },
};

function table(rows: readonly ListedImage[], options: { digests: boolean; isLong: boolean }): string[] {
  const digests = options.digests ? ['DIGEST'] : [];
  const nowMs = Date.now();
  return formatTable(
    ['REPOSITORY', 'TAG', ...digests, 'IMAGE ID', 'CREATED', 'SIZE'],
    rows.map((row) => [
      row.repository,
      row.tag,
      ...(options.digests ? [row.digest] : []),
      options.isLong ? row.id : shortId(row.id),
      formatAge(row.created, nowMs),
      row.size === undefined ? 'N/A' : formatSize(row.size),
    ]),
  );
}

function shortId(id: string): string {
  return id.slice(id.indexOf(':') + 1).slice(0, 12);
}
