import { createInterface } from 'node:readline/promises';
import { collectAllGarbage, removeDangling } from '../../image/collect-garbage.ts';
import type { Command } from '../command.ts';
import { formatSize } from '../table.ts';

export const prune: Command = {
  name: 'prune',
  usage: '[OPTIONS]',
  summary: 'Delete images without a name, and what no image needs: gc --dangling in docker’s words',
  options: [{ name: 'force', short: 'f', help: 'do not ask' }],
  positionals: [0, 0],
  async run(context, args) {
    if (!args.flag('force') && !(await isConfirmed())) return 0;
    const store = await context.store();
    const untagged = await removeDangling(store);
    const { removed, freedBytes } = await collectAllGarbage(store);
    const lines = [
      ...untagged.map(({ descriptor }) => `untagged: ${descriptor.digest}`),
      ...removed.map(({ digest }) => `deleted: ${digest}`),
    ];
    if (lines.length > 0) context.print(['Deleted Images:', ...lines, ''].join('\n'));
    context.print(`Total reclaimed space: ${formatSize(freedBytes)}`);
    return 0;
  },
};

/** As with docker, no answer is a no. */
async function isConfirmed(): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  try {
    process.stdout.write('WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] ');
    for await (const line of lines) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
