import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeHostTools } from '../../image/bootstrap.ts';
import { commitImage, storeLayer } from '../../image/commit.ts';
import { treeArchive } from '../../image/image-tree.ts';
import { emptyImage } from '../../image/import.ts';
import { hostPlatform } from '../../image/platform.ts';
import { realTree } from '../../layer/tree.ts';
import type { Command } from '../command.ts';
import { createdTime, sourceEpoch } from '../epoch.ts';
import { keepImage } from '../keep-image.ts';

const DEFAULT_NAME = 'localhost/bootstrap:latest';
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const bootstrap: Command = {
  name: 'bootstrap',
  usage: '[OPTIONS] [NAME[:TAG]]',
  summary: `Make an image out of this machine's own tools (default name ${DEFAULT_NAME}): busybox, or a shell and a few others`,
  options: [{ name: 'tool', short: 't', value: 'NAME|PATH', help: 'take this program along, with its libraries; may be repeated' }],
  positionals: [0, 1],
  async run(context, args) {
    const store = await context.store();
    const epochSeconds = sourceEpoch(context.env);
    // Where gc removes what a killed process leaves.
    const directory = join(store.layout.snapshots, `new-${process.pid}-bootstrap`);
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    try {
      const { summary, files } = await writeHostTools(directory, { tools: args.values('tool'), path: SEARCH_PATH });
      // Owners are not the caller's: all files are root's, as those without a record are.
      const tree = realTree(store.sys, directory, { isRootless: true });
      const image = await keepImage(store, args.positionals[0] ?? DEFAULT_NAME, async (lease) => {
        const layer = await storeLayer(store, lease, treeArchive(tree, epochSeconds), 'gzip');
        return await commitImage(store, lease, emptyImage(hostPlatform()), layer, {
          created: createdTime(epochSeconds),
          createdBy: 'tsimg bootstrap',
          edit: (config) => ({ ...config, Env: [`PATH=${SEARCH_PATH}`], Cmd: ['/bin/sh'] }),
        });
      });
      context.note(`made of this machine's ${summary}, libraries included ${files} ${files === 1 ? 'file' : 'files'}`);
      context.print(image.digest);
      return 0;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};
