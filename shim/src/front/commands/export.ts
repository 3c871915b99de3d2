import { deliverToFile, deliverToStandardOutput } from '../../../../imagetool/src/archive/deliver.ts';
import { treeArchive } from '../../../../imagetool/src/image/image-tree.ts';
import { realTree } from '../../../../imagetool/src/layer/tree.ts';
import { findContainer } from '../../container/containers.ts';
import { invalid } from '../../container/errors.ts';
import { ensureRootfs } from '../../container/rootfs.ts';
import type { Command } from '../context.ts';

export const exportContainer: Command = async (context, args) => {
  const { record } = findContainer(context.places, args.positionals[0] ?? '');
  const output = args.value('output');
  if (output === undefined && process.stdout.isTTY) throw invalid('cowardly refusing to save to a terminal. Use the -o flag or redirect');
  const store = await context.store();
  const tree = realTree(store.sys, ensureRootfs(store, record.Id).merged, { isRootless: false });
  const archive = treeArchive(tree, undefined);
  await (output === undefined ? deliverToStandardOutput(archive) : deliverToFile(archive, output, 0o600));
  return 0;
};
