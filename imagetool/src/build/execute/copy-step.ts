/** COPY and ADD, and the directories of WORKDIR: layers written without a container, straight from where the files are. */

import { readFileSync } from 'node:fs';
import { fromText, toText } from '../../archive/byte-string.ts';
import { storeLayer } from '../../image/commit.ts';
import { resolveUser } from '../../image/users.ts';
import { isFile } from '../../layer/tree.ts';
import { writeLayer } from '../../layer/write.ts';
import { resolvePath, type SearchableTree, stackedTree } from '../../snapshot/stacked-tree.ts';
import type { StepResult } from '../cache/records.ts';
import { type Delivery, directoriesFor, type PlacedFiles, placeFiles } from '../copy/place.ts';
import { applyMode } from '../dockerfile/mode.ts';
import type { CopyStep, WorkdirStep } from '../plan/step.ts';
import type { LayerStack } from './layers.ts';
import type { Session } from './session.ts';

export async function executeCopy(
  session: Session,
  step: CopyStep,
  below: LayerStack,
  deliveries: readonly Delivery[],
): Promise<StepResult> {
  const lower = step.link ? emptyTree(session) : await session.stacks.tree(below, session.options.signal);
  const { chmod } = step;
  const owner = step.chown === undefined ? undefined : await ownerOf(session, step.chown, below);
  const placed = placeFiles({
    lower,
    deliveries,
    destination: step.destination,
    ...(owner === undefined ? {} : { owner }),
    ...(chmod === undefined ? {} : { changeMode: (mode: number, isDirectory: boolean) => applyMode(chmod, mode, { isDirectory }) }),
    nowSeconds: session.nowSeconds(),
  });
  return await storePlaced(session, placed);
}

/** The directory, if it is missing. */
export async function executeWorkdir(session: Session, step: WorkdirStep, below: LayerStack): Promise<StepResult> {
  const lower = await session.stacks.tree(below, session.options.signal);
  const { uid, gid } = await ownerOf(session, step.user, below);
  return await storePlaced(session, directoriesFor({ lower, path: step.path, owner: { uid, gid }, nowSeconds: session.nowSeconds() }));
}

async function storePlaced(session: Session, placed: PlacedFiles): Promise<StepResult> {
  const { store, lease, epochSeconds, signal } = session.options;
  const created = session.now();
  if (placed.changes.length === 0) return { created };
  const archive = writeLayer(placed.changes, placed.tree, {
    parent: placed.parent,
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
  });
  return { layer: await storeLayer(store, lease, untilAborted(archive, signal), 'gzip'), created };
}

async function* untilAborted(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}

/** `user[:group]` of --chown: numbers need no image, names are looked up in it. Of a user alone, the group has the same number. */
async function ownerOf(session: Session, text: string, below: LayerStack): Promise<{ uid: number; gid: number }> {
  const numbers = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  if (numbers !== null) return { uid: Number(numbers[1]), gid: Number(numbers[2] ?? numbers[1]) };
  if (text === '') return { uid: 0, gid: 0 };
  const tree = await session.stacks.tree(below, session.options.signal);
  return resolveUser(text, { passwd: textOf(tree, 'etc/passwd'), group: textOf(tree, 'etc/group') });
}

function textOf(tree: SearchableTree, path: string): string {
  const { path: real, record } = resolvePath(tree, fromText(path), { follow: true });
  const hostPath = record !== undefined && isFile(record) ? tree.hostPath(real) : undefined;
  return hostPath === undefined ? '' : readFileSync(toText(hostPath), 'utf8');
}

function emptyTree({ options }: Session): SearchableTree {
  return stackedTree(options.store.sys, [], { isRootless: false });
}
