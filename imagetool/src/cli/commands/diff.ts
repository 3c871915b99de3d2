import { toText } from '../../archive/byte-string.ts';
import { bundleChanges } from '../../image/bundle-changes.ts';
import type { Change } from '../../layer/changes.ts';
import { isFile } from '../../layer/tree.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';

const LETTERS = { add: 'A', modify: 'C', delete: 'D' } as const;

export const diff: Command = {
  name: 'diff',
  usage: '[OPTIONS] BUNDLE',
  summary: 'Show what has changed in a bundle since it was unpacked; exit code 1 if anything has',
  options: [JSON_OUTPUT],
  positionals: [1, 1],
  async run(context, args) {
    const { changes } = bundleChanges(await context.sys(), args.positionals[0] ?? '');
    if (args.flag('json')) context.print(JSON.stringify(changes.map(describe), undefined, 2));
    else for (const change of changes) context.print(`${LETTERS[change.kind]} /${toText(change.path)}`);
    return changes.length === 0 ? 0 : 1;
  },
};

function describe(change: Change): object {
  const newSize = change.record !== undefined && isFile(change.record) ? change.record.size : undefined;
  return {
    kind: LETTERS[change.kind],
    path: `/${toText(change.path)}`,
    ...(change.oldSize === undefined ? {} : { oldSize: change.oldSize }),
    ...(newSize === undefined ? {} : { newSize }),
  };
}
