import { once } from 'node:events';
import { closeSync, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fromText } from '../../../../imagetool/src/archive/byte-string.ts';
import { type FileRecord, isDirectory, realTree } from '../../../../imagetool/src/layer/tree.ts';
import { unpackLayer } from '../../../../imagetool/src/layer/unpack.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { findContainer } from '../../container/containers.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import { isRunning } from '../../container/record.ts';
import { ensureRootfs } from '../../container/rootfs.ts';
import { formatDecimalSize } from '../../container/size.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { followLinks, openInRoot, splitPath } from '../filesystem/place.ts';
import { whileStill } from '../filesystem/standstill.ts';
import { archiveOf, subtree } from '../filesystem/subtree.ts';

export const cp: Command = async (context, args) => {
  const [source = '', target = ''] = args.positionals;
  const [from, to] = [placeOf(source), placeOf(target)];
  if (from !== undefined && to !== undefined) throw invalid('copying between containers is not supported');
  if (from === undefined && to === undefined) throw invalid('must specify at least one container source');
  if (from !== undefined)
    return await frozen(context, from, (root) => copyOut(context, args, { root, path: from.path, name: source }, target));
  if (to !== undefined) return await frozen(context, to, (root) => copyIn(context, args, source, { root, path: to.path, name: target }));
  return 0;
};

interface Place {
  readonly container: string;
  readonly path: string;
}

/** `NAME:PATH`; a path of this machine begins with `/` or `.`, or has no colon. */
function placeOf(text: string): Place | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0 || /^[./]/.test(text)) return undefined;
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** What runs stands still meanwhile: it could put a link where a directory was just now. */
async function frozen(context: Context, place: Place, action: (root: string) => Promise<number>): Promise<number> {
  const container = findContainer(context.places, place.container);
  const { record, state } = container;
  if (!isRunning(state)) return await action(ensureRootfs(await context.store(), record.Id).merged);
  // With its volumes.
  return await whileStill(context, container, () => action(`/proc/${state.pid}/root`));
}

interface Side {
  readonly root: string;
  readonly path: string;
  /** As the user wrote it. */
  readonly name: string;
}

function ownerOf(args: Arguments): { uid: number; gid: number } | undefined {
  return args.flag('archive') ? undefined : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

async function copyOut(context: Context, args: Arguments, from: Side, target: string): Promise<number> {
  const sys = await context.sys();
  const path = args.flag('follow-link') ? followLinks(sys, from.root, from.path) : from.path;
  const { directory, name, isContent } = splitPath(path);
  const isWhole = isContent || name === '';
  // A link that is followed gives its own name.
  const newName = splitPath(from.path).name;
  const fd = openInRoot(sys, from.root, isWhole ? path : directory, 'directory');
  if (fd === undefined) throw missing(from.name);
  try {
    const tree = realTree(sys, `/proc/self/fd/${fd}/.`, { isRootless: false });
    const record = isWhole ? tree.root : tree.list('').get(fromText(name));
    if (record === undefined) throw missing(from.name);
    if (target === '-') {
      const archive = archiveOf(subtree(tree, { name: isWhole ? '' : fromText(name), newName: fromText(newName), owner: undefined }));
      for await (const chunk of archive) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
      return 0;
    }
    const place = localPlace(target, record, isWhole, newName);
    const archive = archiveOf(subtree(tree, { name: isWhole ? '' : fromText(name), newName: fromText(place.name), owner: ownerOf(args) }));
    const { sizeBytes } = await unpackLayer(sys, archive, place.directory, { whiteouts: 'remove', isRootless: false });
    if (!args.flag('quiet')) context.note(`Successfully copied ${formatDecimalSize(sizeBytes)} to ${resolve(target)}`);
    return 0;
  } finally {
    closeSync(fd);
  }
}

interface TargetPlace {
  readonly directory: string;
  readonly name: string;
}

function localPlace(target: string, source: FileRecord, isWhole: boolean, name: string): TargetPlace {
  const path = resolve(target);
  const isThere = existsSync(path);
  if (isThere && statSync(path).isDirectory()) return { directory: path, name };
  if (isThere && isDirectory(source)) throw invalid('cannot copy directory');
  if (!existsSync(dirname(path))) throw invalid(`invalid output path: directory "${dirname(path)}" does not exist`);
  if (target.endsWith('/')) throw invalid(`invalid output path: directory "${path}" does not exist`);
  if (isWhole) throw invalid(`invalid output path: directory "${path}" does not exist`, 'Make it first.');
  return { directory: dirname(path), name: basename(path) };
}

async function copyIn(context: Context, args: Arguments, source: string, to: Side): Promise<number> {
  const sys = await context.sys();
  if (source === '-') {
    const fd = openInRoot(sys, to.root, to.path, 'directory');
    if (fd === undefined) throw missing(to.name);
    await unpackInto(sys, process.stdin, fd);
    return 0;
  }
  const given = resolve(source);
  if (!existsSync(given)) throw new ContainerError('invalid', `lstat ${given}: no such file or directory`);
  const path = args.flag('follow-link') ? realpathSync(given) : given;
  const isContent = /(^|\/)\.$/.test(source);
  const isSourceDirectory = statSync(path).isDirectory();
  const existing = openInRoot(sys, to.root, to.path, 'directory');
  const { directory, name } = splitPath(to.path);
  // Where the target is no directory, it is the copy's new name.
  const fd = existing ?? (to.path.endsWith('/') ? undefined : openInRoot(sys, to.root, directory, 'directory'));
  if (fd === undefined) throw missing(to.name);
  const newName = existing === undefined ? name : basename(given);
  if (existing === undefined && isSourceDirectory && isContent) throw missing(to.name);
  const tree = realTree(sys, isContent ? path : dirname(path), { isRootless: false });
  const archive = archiveOf(
    subtree(tree, { name: isContent ? '' : fromText(basename(path)), newName: fromText(newName), owner: ownerOf(args) }),
  );
  const sizeBytes = await unpackInto(sys, archive, fd);
  if (!args.flag('quiet')) context.note(`Successfully copied ${formatDecimalSize(sizeBytes)} to ${to.name}`);
  return 0;
}

async function unpackInto(sys: Sys, archive: AsyncIterable<Uint8Array>, fd: number): Promise<number> {
  try {
    return (await unpackLayer(sys, archive, `/proc/self/fd/${fd}`, { whiteouts: 'remove', isRootless: false })).sizeBytes;
  } finally {
    closeSync(fd);
  }
}

function missing(name: string): ContainerError {
  const [container = '', path = ''] = name.split(/:(.*)/s);
  return new ContainerError('invalid', `Could not find the file ${path} in container ${container}`);
}
