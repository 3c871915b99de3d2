/** The context of a build, and its Dockerfile: a directory, an archive, a repository, or the standard input. */

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { peek } from '../../archive/compression.ts';
import { ImageError, isNodeError } from '../../base/errors.ts';
import { readFileInRoot } from '../../layer/read-file.ts';
import { unpackLayer } from '../../layer/unpack.ts';
import { searchableTree } from '../../snapshot/stacked-tree.ts';
import { fetchRepository, fetchUrl, isGitSource, isUrl, packingOf, unpackArchive } from '../copy/fetch.ts';
import type { Origin } from '../copy/select.ts';
import { type IgnoreFile, parseIgnoreFile } from '../ignore/ignore-file.ts';
import { ignoreFilter } from './filter.ts';

export interface ContextOptions {
  readonly sys: Sys;
  /** A path, a URL, or `-`. */
  readonly source: string;
  /** -f; `-` for the standard input. */
  readonly dockerfile?: string;
  readonly input: () => AsyncIterable<Uint8Array>;
  /** For what is fetched or unpacked. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface LoadedContext {
  readonly origin: Origin;
  readonly ignoreFile: IgnoreFile;
  readonly dockerfile: { readonly name: string; readonly text: string };
  /** Names the context for caches: a path, or where it came from. */
  readonly identity: string;
}

const NAMES = ['Dockerfile', 'Containerfile'];

/** Throws ImageError `context`, `dockerfile`, `ignore-file`. */
export async function loadContext(options: ContextOptions): Promise<LoadedContext> {
  if (options.source === '-') return await fromInput(options);
  const directory = await contextDirectory(options, options.source);
  const identity = isRemote(options.source) ? options.source : directory;
  if (options.dockerfile === '-')
    return { ...contextOf(options, directory), identity, dockerfile: { name: '-', text: await textOf(options.input()) } };
  return fromDirectory(options, directory, identity);
}

/** A directory of this machine with the files of a context, of the build itself or one with a name. */
export async function contextDirectory(
  { directory, signal, sys }: Pick<ContextOptions, 'directory' | 'signal' | 'sys'>,
  source: string,
): Promise<string> {
  if (isGitSource(source)) {
    const repository = await fetchRepository(source, join(directory, 'repository'), { keepGitDirectory: false, signal });
    return repository.directory;
  }
  const path = isUrl(source) ? (await fetchUrl(source, directory, undefined, signal)).path : resolve(source);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new ImageError('context', `there is no context ${path}`);
  if (status.isDirectory()) return path;
  const packing = await packingOf(path);
  if (packing === undefined) throw new ImageError('context', `${path} is neither a directory nor an archive`);
  const target = join(directory, 'context');
  if (!(await unpackArchive(sys, path, packing, target))) throw new ImageError('context', `${path} is not an archive`);
  return target;
}

function isRemote(source: string): boolean {
  return isGitSource(source) || isUrl(source);
}

/** An archive, or a Dockerfile that needs no context. */
async function fromInput(options: ContextOptions): Promise<LoadedContext> {
  if (options.dockerfile === '-') throw new ImageError('usage', 'the context and the Dockerfile cannot both come from the standard input');
  const target = join(options.directory, 'context');
  mkdirSync(target, { recursive: true, mode: 0o755 });
  const { head, rest } = await peek(options.input());
  if (isPacked(head)) await unpackLayer(options.sys, rest, target, { whiteouts: 'remove', isRootless: false });
  else {
    const bytes = Buffer.concat(await collect(rest));
    if (bytes.toString('latin1', 257, 262) !== 'ustar') {
      return { ...contextOf(options, target), identity: '-', dockerfile: { name: '-', text: bytes.toString('utf8') } };
    }
    await unpackLayer(options.sys, once(bytes), target, { whiteouts: 'remove', isRootless: false });
  }
  return fromDirectory(options, target, '-');
}

function isPacked(head: Uint8Array): boolean {
  return (head[0] === 0x1f && head[1] === 0x8b) || (head[0] === 0x28 && head[1] === 0xb5);
}

function fromDirectory(options: ContextOptions, directory: string, identity: string): LoadedContext {
  const isInside = identity !== directory;
  const named = options.dockerfile;
  const path = named === undefined ? defaultDockerfile(directory) : resolve(isInside ? directory : '.', named);
  const text = readDockerfile(options.sys, path, isInside ? directory : undefined);
  return { ...contextOf(options, directory, path), identity, dockerfile: { name: named ?? basename(path), text } };
}

function defaultDockerfile(directory: string): string {
  return join(directory, NAMES.find((name) => existsSync(join(directory, name))) ?? 'Dockerfile');
}

/** Of a context that came from elsewhere, links do not lead out of it. */
function readDockerfile(sys: Sys, path: string, root: string | undefined): string {
  try {
    const bytes = root === undefined ? readFileSync(path) : readFileInRoot(sys, root, path.slice(root.length + 1));
    if (bytes !== undefined) return bytes.toString('utf8');
  } catch (error) {
    if (!isNodeError(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  throw new ImageError('dockerfile', `there is no ${path}`, { hint: 'Name the Dockerfile with -f.' });
}

function contextOf({ sys }: ContextOptions, directory: string, dockerfile?: string): Pick<LoadedContext, 'origin' | 'ignoreFile'> {
  const name = 'the build context';
  const candidates = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), join(directory, '.dockerignore')];
  const path = candidates.find((candidate) => existsSync(candidate));
  const shown = path === undefined || dirname(path) !== directory ? (path ?? '') : basename(path);
  const file = parseIgnoreFile(path === undefined ? '' : readFileSync(path, 'utf8'), shown);
  const filter = ignoreFilter(file, (line, pattern) => `line ${line} of ${shown} (${pattern}) excludes it`);
  const tree = searchableTree(sys, directory, { isRootless: false });
  return { origin: { tree, filter, name, hashRoot: directory, isForeign: true }, ignoreFile: file };
}

async function textOf(input: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await collect(input)).toString('utf8');
}

async function collect(input: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return chunks;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
