import { once } from 'node:events';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
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
  await (output === undefined ? toStandardOutput(archive) : toFile(archive, output));
  return 0;
};

async function toStandardOutput(archive: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of archive) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}

/** Whole or not at all. */
async function toFile(archive: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    for await (const chunk of archive) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
