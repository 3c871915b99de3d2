/** RUN: a container on a snapshot of the layers below; what it has changed is the new layer. */

import { ImageError } from '../../base/errors.ts';
import { storeLayer } from '../../image/commit.ts';
import { type ResolvedUser, resolveUser } from '../../image/users.ts';
import type { Change } from '../../layer/changes.ts';
import { overlayChanges } from '../../layer/overlay-changes.ts';
import { readFileInRoot } from '../../layer/read-file.ts';
import { type FileRecord, isDirectory, realTree } from '../../layer/tree.ts';
import { writeLayer } from '../../layer/write.ts';
import { adoptLayer } from '../../snapshot/layers.ts';
import { mountSnapshot, type Snapshot, unmountSnapshot } from '../../snapshot/overlay.ts';
import type { SearchableTree } from '../../snapshot/stacked-tree.ts';
import type { StepResult } from '../cache/records.ts';
import type { RunStep } from '../plan/step.ts';
import type { ProgressStep } from '../progress/progress.ts';
import { runConfig } from '../run/config.ts';
import { runContainer } from '../run/container.ts';
import { type MountPlace, makeCover } from '../run/cover.ts';
import { hostFileMounts } from '../run/host-files.ts';
import { type MountOptions, type PreparedMounts, prepareMounts } from '../run/mounts.ts';
import { runShell } from '../run/shell.ts';
import { stepFilter } from '../run/system-calls.ts';
import type { StepSpace } from '../run/workspace.ts';
import { exitReason, StepError } from './failure.ts';
import type { LayerStack } from './layers.ts';
import { StepLog } from './log.ts';
import type { Session } from './session.ts';

export interface RunOptions {
  readonly session: Session;
  readonly step: RunStep;
  readonly below: LayerStack;
  readonly progress: ProgressStep;
  readonly mountSource: MountOptions['mountSource'];
  /** Instead of the command a shell is run, at the user's terminal; nothing comes of the step. */
  readonly isShell?: boolean;
}

/** Throws StepError for a command that fails, and the signal's reason. */
export async function executeRun(options: RunOptions): Promise<StepResult> {
  const { session, step, below } = options;
  const { store, workspace, provided, signal } = session.options;
  const space = workspace.step();
  const tree = await session.stacks.tree(below, signal);
  const mounts = await prepareMounts(step, { store, space, provided, signal, mountSource: options.mountSource });
  try {
    const snapshot = await mountTree(options, space, mounts, tree);
    await runIn(options, { space, mounts, snapshot, user: userIn(store.sys, snapshot.merged, step.user) });
    unmountSnapshot(store, space.id);
    return await layerOf(options, snapshot, tree);
  } finally {
    mounts.release();
    workspace.finish(space);
  }
}

async function mountTree(
  { session, step, below }: RunOptions,
  space: StepSpace,
  mounts: PreparedMounts,
  tree: SearchableTree,
): Promise<Snapshot> {
  const { store, signal } = session.options;
  const layers = await session.stacks.directories(below, signal);
  const snapshot = mountSnapshot(store, {
    id: space.id,
    layers,
    isRootless: session.kind !== 'root',
    isVolatile: true,
    makeCover: (directory) => makeCover(tree, placesOf(step, mounts), directory),
  });
  if (snapshot === undefined) throw new ImageError('unsupported', 'this kernel or user may not mount overlayfs, which RUN needs');
  return snapshot;
}

/** Targets of all mounts but those below another one, whose places are made in that. */
function placesOf(step: RunStep, mounts: PreparedMounts): MountPlace[] {
  const targets = mounts.mounts.map(({ destination }) => ({ path: destination, isFile: mounts.files.has(destination) }));
  const all: MountPlace[] = [
    ...['/proc', '/dev', '/sys'].map((path) => ({ path, isFile: false })),
    ...['/etc/hosts', '/etc/resolv.conf'].map((path) => ({ path, isFile: true })),
    // The runtime makes the working directory where it is missing: a place that is no part of the step's result either.
    { path: step.workdir, isFile: false },
    ...targets,
  ];
  return all.filter(
    ({ path }) => !all.some((other) => other.path !== '/' && path.startsWith(`${other.path}/`) && other.path !== step.workdir),
  );
}

interface Prepared {
  readonly space: StepSpace;
  readonly mounts: PreparedMounts;
  readonly snapshot: Snapshot;
  readonly user: ResolvedUser;
}

async function runIn(options: RunOptions, { space, mounts, snapshot, user }: Prepared): Promise<void> {
  const { session, step, progress } = options;
  const { store, signal, hosts, isNamespaced, platform, onFailedRun, beforeShell } = session.options;
  const config = runConfig({
    step,
    platform,
    user,
    root: snapshot.merged,
    mounts: [...hostFileMounts(space.directory, hosts, step.network), ...mounts.mounts],
    env: [...step.proxyEnv, ...mounts.env],
    isNamespaced,
    seccomp: session.filter(() => stepFilter(store.sys, (text) => progress.note(text))),
  });
  if (options.isShell === true) {
    beforeShell?.();
    runShell(store, space, config);
    throw new ImageError('shell-ended', 'the shell has ended, and with it the build');
  }
  const log = new StepLog(store.layout, space.id);
  const onOutput = (bytes: Buffer): void => {
    log.write(bytes);
    progress.output(bytes);
  };
  try {
    const code = await runContainer(store, { space, config, onOutput, signal });
    if (code === 0) {
      log.discard();
      return;
    }
    const hint = 'tsimg build --shell-on-error opens a shell in the state of a failed step.';
    const details = { step, name: progress.name, reason: exitReason(step.argv, code), output: log.tail(), logFile: log.path };
    if (onFailedRun !== undefined) {
      progress.note(`${details.reason}; a shell in its state, whose end is that of the build:`);
      beforeShell?.();
      onFailedRun(store, space, config);
    }
    throw new StepError(onFailedRun === undefined ? { ...details, hint } : details);
  } catch (error) {
    if (error instanceof StepError || signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StepError({ step, name: progress.name, reason, output: log.tail() }, { cause: error });
  } finally {
    log.close();
  }
}

/** Throws ImageError `user`. */
export function userIn(sys: Session['options']['store']['sys'], root: string, user: string): ResolvedUser {
  const text = (path: string): string => readFileInRoot(sys, root, path)?.toString('utf8') ?? '';
  return resolveUser(user, { passwd: text('etc/passwd'), group: text('etc/group') });
}

async function layerOf({ session }: RunOptions, snapshot: Snapshot, tree: SearchableTree): Promise<StepResult> {
  const { store, lease, epochSeconds } = session.options;
  const upper = realTree(store.sys, snapshot.upper, { isRootless: false });
  const changes = withoutUntouched(
    overlayChanges(upper, (path) => tree.find(path)),
    tree,
  );
  const created = session.now();
  if (changes.length === 0) return { created };
  const archive = writeLayer(changes, upper, {
    parent: (path) => tree.find(path),
    ...(epochSeconds === undefined ? {} : { epochSeconds }),
  });
  const layer = await storeLayer(store, lease, archive, 'gzip');
  adoptLayer(store, layer.diffId, snapshot.upper, session.kind);
  return { layer, created };
}

/** Without directories in which something was made and removed again: only their time is another. */
function withoutUntouched(changes: readonly Change[], tree: SearchableTree): Change[] {
  const needed = new Set<string>();
  return [...changes]
    .reverse()
    .filter((change) => {
      const isPlain = change.kind === 'modify' && change.isOpaque !== true && change.record !== undefined && isDirectory(change.record);
      const old = isPlain ? tree.find(change.path) : undefined;
      const isUntouched =
        old !== undefined && change.record !== undefined && !needed.has(change.path) && isSameDirectory(old, change.record);
      if (!isUntouched) for (let at = change.path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) needed.add(at);
      return !isUntouched;
    })
    .reverse();
}

function isSameDirectory(a: FileRecord, b: FileRecord): boolean {
  const marks = (record: FileRecord): string =>
    JSON.stringify([...record.xattrs].filter(([name]) => !/\.overlay\./.test(name)).map(([name, value]) => [name, value.toString('hex')]));
  return isDirectory(a) && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && marks(a) === marks(b);
}
