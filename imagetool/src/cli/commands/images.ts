import type { Digest } from '../../../../specs/image/digest.ts';
import { SpecError } from '../../../../specs/image/shape.ts';
import { ImageError } from '../../base/errors.ts';
import { shortDigest } from '../../digest/digest.ts';
import { configDigest } from '../../image/find.ts';
import { loadImage } from '../../image/load.ts';
import { hostPlatform } from '../../image/platform.ts';
import { familiarRepository, InvalidReferenceError, parseReference } from '../../reference/reference.ts';
import type { Layout } from '../../store/layout.ts';
import { listImages, type StoredImage } from '../../store/refs.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT, QUIET } from '../options.ts';
import { formatAge, formatSize, formatTable } from '../table.ts';

interface Row {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly id: Digest;
  readonly created?: string;
  /** Compressed, as stored. */
  readonly size?: number;
}

export const images: Command = {
  name: 'images',
  usage: '[OPTIONS]',
  summary: 'List the images of the store',
  options: [QUIET, JSON_OUTPUT, { name: 'digests', help: 'show manifest digests' }, { name: 'no-trunc', help: 'show whole ids' }],
  positionals: [0, 0],
  async run(context, args) {
    const layout = context.layout();
    const rows: Row[] = [];
    for (const image of listImages(layout)) rows.push(await rowOf(layout, image));
    if (args.flag('json')) context.print(JSON.stringify(rows, undefined, 2));
    else if (args.flag('quiet'))
      for (const id of new Set(rows.map((row) => (args.flag('no-trunc') ? row.id : shortDigest(row.id))))) context.print(id);
    else for (const line of table(rows, { digests: args.flag('digests'), isLong: args.flag('no-trunc') })) context.print(line);
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
      options.isLong ? row.id : shortDigest(row.id),
      formatAge(row.created, nowMs),
      row.size === undefined ? 'N/A' : formatSize(row.size),
    ]),
  );
}

async function rowOf(layout: Layout, { name, descriptor }: StoredImage): Promise<Row> {
  const named = { ...splitName(name), digest: descriptor.digest };
  try {
    const { manifest, config } = await loadImage(layout, descriptor, hostPlatform());
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    const id = (await configDigest(layout, descriptor)) ?? descriptor.digest;
    return { ...named, id, size, ...(config.created === undefined ? {} : { created: config.created }) };
  } catch (error) {
    // Other platforms, artifacts and damaged images are listed as well: they can be removed.
    if (error instanceof ImageError || error instanceof SpecError) return { ...named, id: descriptor.digest };
    throw error;
  }
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
