/** What is not the same in two builds of the same things. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toText } from '../archive/byte-string.ts';
import type { NewLayer } from '../image/commit.ts';
import { type Change, diffTrees } from '../layer/changes.ts';
import { baseOf, parentOf } from '../layer/names.ts';
import { type FileRecord, isFile, realTree, type Tree } from '../layer/tree.ts';
import type { Session } from './execute/session.ts';
import type { BuiltStage } from './execute/stages.ts';

export interface StepDifference {
  /** As progress names the step. */
  readonly step: string;
  readonly files: readonly FileDifference[];
}

export interface FileDifference {
  readonly path: string;
  /** In words: `content`, `mode`, `time`, only in the first build. */
  readonly what: string;
  /** How to get rid of it, where that is known. */
  readonly remedy?: string;
}

/** Compares the stages of two builds step by step, those with the same number with each other. */
export async function compareBuilds(
  session: Session,
  first: readonly BuiltStage[],
  second: readonly BuiltStage[],
): Promise<StepDifference[]> {
  const differences: StepDifference[] = [];
  for (const { plan, results } of first) {
    const other = second.find((stage) => stage.plan.index === plan.index);
    for (const [index, step] of plan.steps.entries()) {
      const files = await compareLayers(session, results[index]?.layer, other?.results[index]?.layer);
      if (files.length > 0) differences.push({ step: `${plan.label === '' ? '' : `${plan.label}: `}${step.title}`, files });
    }
  }
  return differences;
}

async function compareLayers(session: Session, a: NewLayer | undefined, b: NewLayer | undefined): Promise<FileDifference[]> {
  if (a?.diffId === b?.diffId) return [];
  const [before, now] = [await layerTree(session, a), await layerTree(session, b)];
  const latest = session.options.epochSeconds ?? Number.POSITIVE_INFINITY;
  return diffTrees(before, now).flatMap((change) => describe(change, { before, now, latest }) ?? []);
}

async function layerTree(session: Session, layer: NewLayer | undefined): Promise<Tree> {
  const { store, signal } = session.options;
  const [unpacked] = layer === undefined ? [] : await session.stacks.directories([layer], signal);
  return realTree(store.sys, join(store.layout.snapshots, unpacked?.name ?? 'empty'), { isRootless: false });
}

interface Trees {
  readonly before: Tree;
  readonly now: Tree;
  /** No time in the layers is later, in seconds. */
  readonly latest: number;
}

/** Undefined for what only looks different on disk. */
function describe(change: Change, trees: Trees): FileDifference | undefined {
  const path = `/${toText(change.path)}`;
  const remedy = remedyFor(path);
  const what = whatDiffers(change, trees);
  return what === undefined ? undefined : { path, what, ...(remedy === undefined ? {} : { remedy }) };
}

function whatDiffers({ kind, path, record }: Change, { before, now, latest }: Trees): string | undefined {
  if (kind === 'add') return 'only in the second build';
  const old = find(before, path);
  if (kind === 'delete' || record === undefined || old === undefined) return 'only in the first build';
  const parts = [
    ...(old.mode === record.mode ? [] : [`mode ${old.mode.toString(8)} and ${record.mode.toString(8)}`]),
    ...(old.uid === record.uid && old.gid === record.gid ? [] : ['owner']),
    ...(old.linkName === record.linkName ? [] : ['link target']),
    ...(isFile(old) && isFile(record) && contentOf(before, path) !== contentOf(now, path) ? ['content'] : []),
  ];
  if (parts.length > 0) return parts.join(', ');
  return path !== '' && Math.min(old.mtimeSeconds, latest) !== Math.min(record.mtimeSeconds, latest) ? 'time' : undefined;
}

function find(tree: Tree, path: string): FileRecord | undefined {
  return path === '' ? tree.root : tree.list(parentOf(path)).get(baseOf(path));
}

function contentOf(tree: Tree, path: string): string {
  const hostPath = Buffer.from(tree.hostPath(path) ?? '', 'latin1');
  return createHash('sha256').update(readFileSync(hostPath)).digest('hex');
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/^\/var\/log\//, 'logs: remove them in the same RUN'],
  [/^\/var\/cache\/ldconfig\/aux-cache$/, 'ldconfig’s cache: remove it in the same RUN'],
  [/^\/var\/(?:cache|lib)\/apt\//, 'apt’s lists and caches: use a cache mount, or remove them in the same RUN'],
  [/\.pyc$/, 'bytecode of Python holds times: set PYTHONDONTWRITEBYTECODE=1, or SOURCE_DATE_EPOCH'],
  [/\.dist-info\/RECORD$/, 'pip’s list of files names bytecode: install with --no-compile'],
  [/^\/etc\/machine-id$/, 'a number of this one machine: empty the file in the same RUN'],
];

function remedyFor(path: string): string | undefined {
  return REMEDIES.find(([pattern]) => pattern.test(path))?.[1];
}
