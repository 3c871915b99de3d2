import { writeCap } from '../../store/cap.ts';
import { measureUsage } from '../../store/df.ts';
import { usage } from '../args.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';
import { formatSize, formatTable } from '../table.ts';

export const df: Command = {
  name: 'df',
  usage: '[OPTIONS]',
  summary: 'Show what the store takes on disk, and for what; set its limit',
  options: [
    JSON_OUTPUT,
    { name: 'verbose', short: 'v', help: 'list the images' },
    { name: 'cap', value: 'SIZE', help: 'never let the store grow beyond SIZE (10G, 500M); "none" takes the limit away' },
  ],
  positionals: [0, 0],
  async run(context, args) {
    const cap = args.value('cap');
    if (cap !== undefined) writeCap((await context.store()).layout, cap === 'none' ? undefined : parseSize(cap));
    const result = await measureUsage(context.layout());
    if (args.flag('json')) {
      context.print(JSON.stringify(result, undefined, 2));
      return 0;
    }
    const rows: [string, number][] = [
      ['Images', result.imageBytes],
      ['Unused blobs', result.otherBlobBytes],
      ['Interrupted transfers', result.partialBytes],
      ['Snapshots', result.snapshotBytes],
      ['Metadata', result.metadataBytes],
      ['Total', result.totalBytes],
      ...(result.capBytes === undefined ? [] : [['Limit', result.capBytes] satisfies [string, number]]),
    ];
    for (const line of formatTable(
      ['TYPE', 'SIZE'],
      rows.map(([name, bytes]) => [name, formatSize(bytes)]),
    ))
      context.print(line);
    if (args.flag('verbose')) {
      context.print('');
      const images = result.images.map((one) => [one.names.join(', ') || one.digest, formatSize(one.bytes), formatSize(one.uniqueBytes)]);
      for (const line of formatTable(['IMAGE', 'SIZE', 'UNIQUE SIZE'], images)) context.print(line);
    }
    return 0;
  },
};

const SCALES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Binary units, as docker reads limits. */
function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text);
  const scale = SCALES[match?.[2]?.toLowerCase() ?? '-'];
  if (match === null || scale === undefined) throw usage(`${JSON.stringify(text)} is not a size`);
  return Math.floor(Number(match[1]) * scale);
}
