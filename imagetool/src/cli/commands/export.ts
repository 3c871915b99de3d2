import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleTree } from '../../image/bundle-changes.ts';
import { treeArchive, withImageTree } from '../../image/image-tree.ts';
import type { Command } from '../command.ts';
import { sourceEpoch } from '../epoch.ts';
import { imageSource, platformOf, REMOTE } from '../image-source.ts';
import { PLATFORM } from '../options.ts';
import { archiveOutput, OUTPUT } from '../output-file.ts';

export const exportCommand: Command = {
  name: 'export',
  usage: '[OPTIONS] BUNDLE|IMAGE',
  summary: 'Write the files of a bundle, or of an image, as one tar archive',
  options: [OUTPUT, PLATFORM, REMOTE],
  positionals: [1, 1],
  async run(context, args) {
    const [text = ''] = args.positionals;
    const write = archiveOutput(args);
    const epoch = sourceEpoch(context.env);
    if (existsSync(join(text, 'config.json'))) await write(treeArchive(bundleTree(await context.sys(), text), epoch));
    else {
      const source = await imageSource(context, args, text);
      await withImageTree(await context.store(), source, platformOf(args), (tree) => write(treeArchive(tree, epoch)));
    }
    return 0;
  },
};
