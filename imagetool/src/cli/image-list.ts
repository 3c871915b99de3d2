/** What `tsimg images` takes and prints, on both engines. */

import type { ListedImage } from '../image/listing.ts';
import type { ParsedArgs } from './args.ts';
import type { CommandForm } from './command-form.ts';
import { JSON_OUTPUT, QUIET } from './options.ts';
import { formatAge, formatSize, formatTable } from './table.ts';

export const IMAGES: CommandForm = {
  name: 'images',
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List the images of the store; * and ? stand for parts of a name',
  options: [
    QUIET,
    JSON_OUTPUT,
    { name: 'all', short: 'a', help: 'for docker’s sake: nothing is hidden' },
    { name: 'digests', help: 'show manifest digests' },
    { name: 'no-trunc', help: 'show whole ids' },
  ],
  positionals: [0, 1],
};

/** The lines to print. */
export function imageLines(all: readonly ListedImage[], args: ParsedArgs, nowMs: number): string[] {
  const [pattern] = args.positionals;
  const rows = pattern === undefined ? all : all.filter(matcherOf(pattern));
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

/** As docker's: a name without a tag stands for all of its tags, and no wildcard for a slash. */
function matcherOf(pattern: string): (row: ListedImage) => boolean {
  const [, name = '', tag = '*'] = /^(.*?)(?::([^:/]*))?$/.exec(pattern) ?? [];
  const [names, tags] = [name.replace(/^docker\.io\/(?:library\/)?/, ''), tag].map(wildcards);
  return ({ repository, tag: own }) => names?.test(repository) === true && tags?.test(own) === true;
}

function wildcards(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`);
}

function shortId(id: string): string {
  return id.slice(id.indexOf(':') + 1).slice(0, 12);
}
