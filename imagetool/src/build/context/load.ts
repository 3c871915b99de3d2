/** The context of a build, and its Dockerfile: a directory, an archive, a repository, or the standard input. */

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { ImageError, isNodeError } from '../../base/errors.ts';
import { readFileInRoot } from '../../layer/read-file.ts';
import { searchableTree } from '../../snapshot/stacked-tree.ts';
import { fetchUrl, isUrl } from '../copy/fetch.ts';
import { isGitSource } from '../copy/git-source.ts';
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

/** packingOfHead wants so much. */
const ARCHIVE_HEAD_BYTES = 512;
const NAMES = ['Dockerfile', 'Containerfile'];

/** Throws ImageError `context`, `dockerfile`, `ignore-file`. */
export async function loadContext(options: ContextOptions): Promise<LoadedContext> {
  const { source } = options;
  if (source === '-') return await fromInput(options);
  if (isUrl(source) && !isGitSource(source)) return await fromUrl(options);
  const directory = await contextDirectory(options, source);
  return await fromDirectory(options, directory, isGitSource(source) ? source : directory);
}

/** A directory of this machine with the files of a context, of the build itself or one with a name. */
export async function contextDirectory(
  { directory, signal, sys }: Pick<ContextOptions, 'directory' | 'signal' | 'sys'>,
  source: string,
): Promise<string> {
  if (isGitSource(source)) {
    const { fetchRepository } = await import('../copy/git.ts');
    const repository = await fetchRepository(source, join(directory, 'repository'), { keepGitDirectory: false, signal });
    return repository.directory;
  }
  const path = isUrl(source) ? (await fetchUrl(source, directory, undefined, signal)).path : resolve(source);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new ImageError('context', `there is no context ${path}`);
  if (status.isDirectory()) return path;
  const target = join(directory, 'context');
  if (await isUnpacked(sys, path, target)) return target;
  throw new ImageError('context', `${isUrl(source) ? source : path} is neither a directory nor an archive`);
}

async function isUnpacked(sys: Sys, path: string, target: string): Promise<boolean> {
  const { packingOf, unpackArchive } = await import('../copy/archive.ts');
  const packing = await packingOf(path);
  return packing !== undefined && (await unpackArchive(sys, path, packing, target));
}

/** An archive, or a Dockerfile that needs no context. */
async function fromUrl(options: ContextOptions): Promise<LoadedContext> {
  const { source, directory, signal, sys } = options;
  const { path } = await fetchUrl(source, directory, undefined, signal);
  const target = join(directory, 'context');
  if (await isUnpacked(sys, path, target)) return await fromDirectory(options, target, source);
  return alone(options, { name: source, text: readFileSync(path, 'utf8') });
}

/** An archive, or a Dockerfile that needs no context. */
async function fromInput(options: ContextOptions): Promise<LoadedContext> {
  if (options.dockerfile === '-') throw new ImageError('usage', 'the context and the Dockerfile cannot both come from the standard input');
  const { peek } = await import('../../archive/compression.ts');
  const { packingOfHead, unpackStream } = await import('../copy/archive.ts');
  const { head, rest } = await peek(options.input(), ARCHIVE_HEAD_BYTES);
  const packing = packingOfHead(Buffer.from(head));
  if (packing === undefined) return alone(options, { name: '-', text: await textOf(rest) });
  const target = join(options.directory, 'context');
  await unpackStream(options.sys, rest, packing, target);
  return await fromDirectory(options, target, '-');
}

/** A Dockerfile without files. */
function alone(options: ContextOptions, dockerfile: LoadedContext['dockerfile']): LoadedContext {
  const target = join(options.directory, 'context');
  mkdirSync(target, { recursive: true, mode: 0o755 });
  return { ...contextOf(options, target), identity: dockerfile.name, dockerfile };
}

async function fromDirectory(options: ContextOptions, directory: string, identity: string): Promise<LoadedContext> {
  const named = options.dockerfile;
  if (named === '-') return { ...contextOf(options, directory), identity, dockerfile: { name: '-', text: await textOf(options.input()) } };
  const isInside = identity !== directory;
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
  const own = dockerfile === undefined ? undefined : `${dockerfile}.dockerignore`;
  return directoryOrigin(sys, directory, 'the build context', own);
}

/** The files of a directory that its .dockerignore leaves, or the file that takes its place. */
export function directoryOrigin(
  sys: Sys,
  directory: string,
  name: string,
  own?: string,
): { readonly origin: Origin; readonly ignoreFile: IgnoreFile } {
  const candidates = [...(own === undefined ? [] : [own]), join(directory, '.dockerignore')];
  const path = candidates.find((candidate) => existsSync(candidate));
  const shown = path === undefined || dirname(path) !== directory ? (path ?? '') : basename(path);
  const file = parseIgnoreFile(path === undefined ? '' : readFileSync(path, 'utf8'), shown);
  const filter = ignoreFilter(file, (line, pattern) => `line ${line} of ${shown} (${pattern}) excludes it`);
  const tree = searchableTree(sys, directory, { isRootless: false });
  return { origin: { tree, filter, name, hashRoot: directory, isForeign: true }, ignoreFile: file };
}

async function textOf(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
