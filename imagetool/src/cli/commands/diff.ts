import { toText } from '../../archive/byte-string.ts';
import { bundleChanges } from '../../image/bundle-changes.ts';
import { diffImages, type ImageDiff } from '../../image/image-diff.ts';
import type { Change } from '../../layer/changes.ts';
import { isFile } from '../../layer/tree.ts';
import type { ParsedArgs } from '../args.ts';
import type { Command, Context } from '../command.ts';
import { imageSource, platformOf, REMOTE } from '../image-source.ts';
import { JSON_OUTPUT, PLATFORM } from '../options.ts';
import { formatSize } from '../table.ts';

const LETTERS = { add: 'A', modify: 'C', delete: 'D' } as const;

export const diff: Command = {
  name: 'diff',
  usage: '[OPTIONS] BUNDLE | IMAGE IMAGE',
  summary: 'Show what has changed in a bundle since it was unpacked, or between two images; exit code 1 if anything has',
  options: [JSON_OUTPUT, PLATFORM, REMOTE],
  positionals: [1, 2],
  async run(context, args) {
    const [first = '', second] = args.positionals;
    if (second !== undefined) return await betweenImages(context, args, first, second);
    const { changes } = bundleChanges(await context.sys(), first);
    if (args.flag('json')) context.print(JSON.stringify(changes.map(describe), undefined, 2));
    else printFiles(context, changes);
    return changes.length === 0 ? 0 : 1;
  },
};

async function betweenImages(context: Context, args: ParsedArgs, first: string, second: string): Promise<number> {
  const store = await context.store();
  const [before, now] = [await imageSource(context, args, first), await imageSource(context, args, second)];
  const found = await diffImages(store, before, now, platformOf(args));
  if (args.flag('json')) context.print(JSON.stringify({ ...found, files: found.files.map(describe) }, undefined, 2));
  else print(context, found);
  return found.files.length === 0 && found.config.length === 0 ? 0 : 1;
}

function print(context: Context, { files, config, layers, size }: ImageDiff): void {
  printFiles(context, files);
  for (const change of config)
    context.print(`${change.field}: ${JSON.stringify(change.old) ?? '-'} -> ${JSON.stringify(change.new) ?? '-'}`);
  if (files.length === 0 && config.length === 0) return;
  context.print(`layers: ${layers.old} -> ${layers.new}, ${layers.shared} in both`);
  context.print(`size: ${formatSize(size.old)} -> ${formatSize(size.new)}`);
}

function printFiles(context: Context, changes: readonly Change[]): void {
  for (const change of changes) context.print(`${LETTERS[change.kind]} /${toText(change.path)}`);
}

function describe(change: Change): object {
  const newSize = change.record !== undefined && isFile(change.record) ? change.record.size : undefined;
  return {
    kind: LETTERS[change.kind],
    path: `/${toText(change.path)}`,
    ...(change.oldSize === undefined ? {} : { oldSize: change.oldSize }),
    ...(newSize === undefined ? {} : { newSize }),
  };
}
