import type { Digest } from '../../../../specs/image/digest.ts';
import { hostPlatform } from '../../image/platform.ts';
import { type ImageSummary, summarize } from '../../image/summaries.ts';
import { familiarRepository, InvalidReferenceError, parseReference } from '../../reference/reference.ts';
import { listImages } from '../../store/refs.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT, QUIET } from '../options.ts';
import { formatAge, formatSize, formatTable } from '../table.ts';

interface Row extends ImageSummary {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
}

export const images: Command = {
  name: 'images',
  usage: '[OPTIONS]',
  summary: 'List the images of the store',
  options: [QUIET, JSON_OUTPUT, { name: 'digests', help: 'show manifest digests' }, { name: 'no-trunc', help: 'show whole ids' }],
  positionals: [0, 0],
  async run(context, args) {
    const layout = context.layout();
    const stored = listImages(layout);
    const summaries = await summarize(
      layout,
      stored.map((image) => image.descriptor),
      hostPlatform(),
    );
    const rows = stored.map(({ name, descriptor }, index): Row => {
      return { ...splitName(name), digest: descriptor.digest, ...(summaries[index] ?? { id: descriptor.digest }) };
    });
    if (args.flag('json')) context.print(JSON.stringify(rows, undefined, 2));
    else if (args.flag('quiet'))
      for (const id of new Set(rows.map((row) => (args.flag('no-trunc') ? row.id : shortId(row.id))))) context.print(id);
    else context.print(table(rows, { digests: args.flag('digests'), isLong: args.flag('no-trunc') }).join('\n'));
    return 0;
  },
};

function table(rows: readonly Row[], options: { digests: boolean; isLong: boolean }): string[] {
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

function splitName(name: string | undefined): { repository: string; tag: string } {
  if (name === undefined) return { repository: '<none>', tag: '<none>' };
  try {
    const reference = parseReference(name);
    return { repository: familiarRepository(reference), tag: reference.tag ?? '<none>' };
  } catch (error) {
    if (error instanceof InvalidReferenceError) return { repository: name, tag: '<none>' };
    throw error;
  }
}
