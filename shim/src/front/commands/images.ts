import type { ListedImage } from '../../../../imagetool/src/image/listing.ts';
import { hostPlatform } from '../../../../imagetool/src/image/platform.ts';
import { readListing } from '../../../../imagetool/src/image/read-listing.ts';
import { layoutAt } from '../../../../imagetool/src/store/layout.ts';
import { hasLayout } from '../../../../imagetool/src/store/make-layout.ts';
import { shortId } from '../../container/id.ts';
import { formatDecimalSize } from '../../container/size.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { ago } from '../format/human-time.ts';
import { parseFilters, printRows, type Row } from '../format/printer.ts';
import { hasLabel } from '../listing/container-filters.ts';

const HEADERS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
};

export const images: Command = async (context, args) => {
  const rows = await filtered(context, await imageRows(context), args);
  const noTrunc = args.flag('no-trunc');
  if (args.flag('quiet') && !args.has('format')) {
    for (const id of new Set(rows.map((row) => (noTrunc ? row.id : shortId(row.id))))) context.print(id);
    return 0;
  }
  const columns = ['Repository', 'Tag', ...(args.flag('digests') ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
  const nowMs = Date.now();
  const shown = rows.map(
    (row): Row => ({
      Repository: row.repository,
      Tag: row.tag,
      Digest: row.digest,
      ID: noTrunc ? row.id : shortId(row.id),
      CreatedSince: ago(row.created, nowMs),
      CreatedAt: row.created ?? 'N/A',
      Size: row.size === undefined ? 'N/A' : formatDecimalSize(row.size),
    }),
  );
  for (const line of printRows(shown, { headers: HEADERS, columns }, args.value('format'))) context.print(line);
  return 0;
};

/** The newest first. */
export async function imageRows(context: Context): Promise<ListedImage[]> {
  const layout = layoutAt(context.places.root);
  if (!hasLayout(layout)) return [];
  const rows = await readListing(layout, hostPlatform());
  return [...rows].sort((a, b) => Date.parse(b.created ?? '0') - Date.parse(a.created ?? '0'));
}

/** Of its configuration; none where the image is of another platform only. */
export async function imageLabels(context: Context, { digest, size }: ListedImage): Promise<Readonly<Record<string, string>>> {
  if (size === undefined) return {};
  const { inspectImage } = await import('../images/inspect-image.ts');
  return (await inspectImage(context, digest)).Config.Labels ?? {};
}

async function filtered(context: Context, rows: readonly ListedImage[], args: Arguments): Promise<ListedImage[]> {
  const filters = parseFilters(args.values('filter'), ['dangling', 'label', 'before', 'since', 'reference']);
  const wanted = filters.get('label') ?? [];
  const labels = new Map(
    wanted.length === 0 ? [] : await Promise.all(rows.map(async (row) => [row, await imageLabels(context, row)] as const)),
  );
  const createdOf = async (text: string) =>
    Date.parse((await (await import('../images/inspect-image.ts')).inspectImage(context, text)).Created);
  const before = await Promise.all((filters.get('before') ?? []).map(createdOf));
  const since = await Promise.all((filters.get('since') ?? []).map(createdOf));
  const pattern = args.positionals[0];
  const dangling = filters.get('dangling')?.at(-1);
  return rows.filter((row) => {
    const name = `${row.repository}:${row.tag}`;
    const matches = (text: string) => globPattern(text).test(name) || globPattern(text).test(row.repository);
    const isDangling = row.repository === '<none>';
    return (
      (pattern === undefined || matches(pattern)) &&
      (dangling === undefined || isDangling === (dangling === 'true' || dangling === '1')) &&
      (filters.get('reference')?.some(matches) ?? true) &&
      wanted.every((label) => hasLabel(labels.get(row) ?? {}, label)) &&
      before.every((time) => Date.parse(row.created ?? '') < time) &&
      since.every((time) => Date.parse(row.created ?? '') > time)
    );
  });
}

/** `*` stops at a slash, as in shells. */
function globPattern(text: string): RegExp {
  return new RegExp(
    `^${text
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}$`,
  );
}
