import { existsSync } from 'node:fs';
import { sweepWork } from '../../build/run/workspace.ts';
import { collectAllGarbage, removeDangling } from '../../image/collect-garbage.ts';
import { asNamespaceRoot } from '../as-root.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';
import { formatSize } from '../table.ts';

export const gc: Command = {
  name: 'gc',
  usage: '[OPTIONS]',
  summary: 'Delete what no image needs',
  options: [
    { name: 'dry-run', short: 'n', help: 'only say what would be deleted' },
    { name: 'all', short: 'a', help: 'also what interrupted transfers left' },
    { name: 'dangling', help: 'also images without a name' },
    JSON_OUTPUT,
  ],
  positionals: [0, 0],
  async run(context, args) {
    const store = await context.store();
    // Builds leave files of other owners.
    const code = existsSync(store.layout.build) ? await asNamespaceRoot(context) : undefined;
    if (code !== undefined) return code;
    const dryRun = args.flag('dry-run');
    if (!dryRun) await sweepWork(store);
    if (args.flag('dangling') && !dryRun) await removeDangling(store);
    const result = await collectAllGarbage(store, { dryRun, all: args.flag('all') });
    if (args.flag('json')) context.print(JSON.stringify(result, undefined, 2));
    else {
      for (const { digest } of result.removed) context.print(`Deleted: ${digest}`);
      context.print(`Total reclaimed space: ${formatSize(result.freedBytes)}`);
    }
    return 0;
  },
};
