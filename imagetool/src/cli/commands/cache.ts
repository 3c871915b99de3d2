import { createReadStream, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ImageError } from '../../base/errors.ts';
import { cacheBytes, holdCache, listCaches, removeCache, replaceData, type StoredCache } from '../../build/cache/cache-mounts.ts';
import { keepOnly } from '../../build/cache/keep.ts';
import { CacheRecords } from '../../build/cache/records.ts';
import { treeArchive } from '../../image/image-tree.ts';
import { realTree } from '../../layer/tree.ts';
import { unpackLayer } from '../../layer/unpack.ts';
import type { Layout } from '../../store/layout.ts';
import { type ParsedArgs, usage } from '../args.ts';
import { asNamespaceRoot } from '../as-root.ts';
import type { Command, Context } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';
import { archiveOutput, OUTPUT } from '../output-file.ts';
import { formatSize, formatTable } from '../table.ts';

export const cache: Command = {
  name: 'cache',
  usage: 'ls | export ID | import ID FILE | rm ID… | prune',
  summary: 'Cache mounts of builds: list with sizes, export and import as tar archives, remove; prune forgets the results of build steps',
  options: [JSON_OUTPUT, OUTPUT],
  positionals: [1, 100],
  async run(context, args) {
    const [verb = '', ...rest] = args.positionals;
    const action = ACTIONS.get(verb);
    if (action === undefined) throw usage(`tsimg cache ${verb}: ${[...ACTIONS.keys()].join(', ')} are known`);
    const code = await asNamespaceRoot(context);
    if (code !== undefined) return code;
    await action(context, args, rest);
    return 0;
  },
};

type Action = (context: Context, args: ParsedArgs, rest: readonly string[]) => Promise<void>;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['ls', list],
  ['export', exportCache],
  ['import', importCache],
  ['rm', remove],
  ['prune', prune],
]);

async function list(context: Context, args: ParsedArgs): Promise<void> {
  const caches = listCaches(context.layout()).map((one) => ({ id: one.id, bytes: cacheBytes(one), directory: one.directory }));
  if (args.flag('json')) context.print(JSON.stringify(caches, undefined, 2));
  else
    for (const line of formatTable(
      ['ID', 'SIZE'],
      caches.map(({ id, bytes }) => [id, formatSize(bytes)]),
    ))
      context.print(line);
}

async function exportCache(context: Context, args: ParsedArgs, [id]: readonly string[]): Promise<void> {
  const store = await context.store();
  const found = find(store.layout, id);
  const write = archiveOutput(args);
  const held = await holdCache(store, mountOf(found.id, 'shared'), async () => undefined, new AbortController().signal);
  try {
    await write(treeArchive(realTree(store.sys, held.directory, { isRootless: false })));
  } finally {
    held.release();
  }
}

/** Takes the place of what the cache holds, when it is whole. */
async function importCache(context: Context, _args: ParsedArgs, [id, file]: readonly string[]): Promise<void> {
  if (id === undefined || file === undefined) throw usage('usage: tsimg cache import ID FILE');
  if (!existsSync(file)) throw new ImageError('cache', `there is no file ${file}`);
  const store = await context.store();
  const held = await holdCache(store, mountOf(id, 'locked'), async () => undefined, new AbortController().signal);
  try {
    await replaceData(held, async (directory) => {
      await unpackLayer(store.sys, createReadStream(file), directory, { whiteouts: 'remove', isRootless: false });
    });
  } finally {
    held.release();
  }
}

async function remove(context: Context, _args: ParsedArgs, ids: readonly string[]): Promise<void> {
  const store = await context.store();
  for (const id of ids) {
    for (const one of listCaches(store.layout).filter((each) => each.id === find(store.layout, id).id)) {
      if (!removeCache(store, one)) throw new ImageError('busy', `cache ${id} is used by a build`);
    }
  }
}

async function prune(context: Context): Promise<void> {
  const store = await context.store();
  const records = new CacheRecords(store.layout);
  const all = records.list();
  for (const { key } of all) records.remove(key);
  for (const name of ['hashes', 'traces', 'logs']) rmSync(join(store.layout.build, name), { recursive: true, force: true });
  await keepOnly(store, records);
  context.note(`forgot the results of ${all.length} steps; tsimg gc deletes what nothing else needs`);
}

function find(layout: Layout, id = ''): StoredCache {
  const found = listCaches(layout).find((one) => one.id === id);
  if (found === undefined)
    throw new ImageError('cache', `there is no cache mount ${JSON.stringify(id)}`, { hint: 'tsimg cache ls lists them.' });
  return found;
}

function mountOf(id: string, sharing: 'shared' | 'locked') {
  return { type: 'cache', id, target: '', source: '/', readOnly: false, sharing } as const;
}
