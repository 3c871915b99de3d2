/** Which files COPY and ADD mean: patterns and ignore rules applied to the tree they are taken from. Nothing is read but directories. */

import { fromText, toText } from '../../archive/byte-string.ts';
import { ImageError } from '../../base/errors.ts';
import { baseOf, joinPath, parentOf } from '../../layer/names.ts';
import { type FileRecord, isDirectory } from '../../layer/tree.ts';
import { resolvePath, type SearchableTree } from '../../snapshot/stacked-tree.ts';
import { hasWildcards, pathMatcher } from '../ignore/pattern.ts';

/** Rules on paths of the tree, as text. */
export interface PathFilter {
  excludes(path: string): boolean;
  /** False: all below an excluded directory is excluded as well. */
  mayIncludeBelow(directory: string): boolean;
  /** Which rule excludes a path, in words. */
  reason(path: string): string | undefined;
}

export const NO_FILTER: PathFilter = { excludes: () => false, mayIncludeBelow: () => false, reason: () => undefined };

export interface Origin {
  readonly tree: SearchableTree;
  readonly filter: PathFilter;
  /** For messages: `the build context`, `stage build`. */
  readonly name: string;
  /** Names a file of digests; see FileHashes. */
  readonly hashRoot: string;
  /** Owners, xattrs and hard links of the machine say nothing: files are root's. */
  readonly isForeign: boolean;
}

export interface SelectOptions {
  readonly origin: Origin;
  readonly sources: readonly string[];
  readonly excludes: PathFilter;
  readonly parents: boolean;
}

/** A file or directory that is taken. Paths are byte strings. */
export interface SelectedFile {
  readonly path: string;
  /** Below the destination; empty for the destination itself. */
  readonly target: string;
  readonly record: FileRecord;
}

/** What one source came to. */
export interface Selection {
  /** In order, directories before what is in them. */
  readonly files: readonly SelectedFile[];
  /** A single file, which may take the destination's name. */
  readonly isFile: boolean;
  /** The name it has otherwise. */
  readonly name: string;
}

/** Throws ImageError `copy-source` for a source without pattern that is not there. */
export function selectFiles(options: SelectOptions): Selection[] {
  return options.sources.flatMap((source) => {
    const paths = hasWildcards(source) ? glob(options, source) : [cleanSource(source)];
    return paths.flatMap((path) => selectOne(options, path, source));
  });
}

/** Inside the tree, whatever `..` and slashes say; as a byte string. */
function cleanSource(source: string): string {
  const parts: string[] = [];
  for (const part of source.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return fromText(parts.join('/'));
}

function glob(options: SelectOptions, pattern: string): string[] {
  let found = [''];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '**') found = found.flatMap((directory) => withDescendants(options, directory));
    else found = found.flatMap((directory) => matchesIn(options, directory, part));
  }
  return [...new Set(found)].filter((path) => path !== '' && !isExcluded(options, path, baseOf(path))).sort();
}

function withDescendants(options: SelectOptions, directory: string): string[] {
  return [directory, ...childDirectories(options, directory).flatMap((child) => withDescendants(options, child))];
}

function childDirectories({ origin }: SelectOptions, directory: string): string[] {
  return [...origin.tree.list(directory)].filter(([, record]) => isDirectory(record)).map(([name]) => joinPath(directory, name));
}

function matchesIn({ origin }: SelectOptions, directory: string, part: string): string[] {
  const at = resolvePath(origin.tree, directory, { follow: true });
  if (at.record === undefined || !isDirectory(at.record)) return [];
  const matches = pathMatcher(part);
  if (matches === undefined) throw new ImageError('copy-source', `${JSON.stringify(part)} is no pattern`);
  return [...origin.tree.list(at.path).keys()].filter((name) => matches(toText(name))).map((name) => joinPath(directory, name));
}

/** Ignore rules see the path in the tree; --exclude sees it below the source. */
function isExcluded({ origin, excludes }: SelectOptions, path: string, below: string): boolean {
  return origin.filter.excludes(toText(path)) || excludes.excludes(toText(below));
}

function selectOne(options: SelectOptions, path: string, written: string): Selection[] {
  const { origin } = options;
  const found = resolvePath(origin.tree, path, { follow: true });
  const keepsWalking = found.record !== undefined && isDirectory(found.record) && mayIncludeBelow(options, found.path, '');
  const name = found.record !== undefined && isDirectory(found.record) ? '' : baseOf(path);
  if (found.record === undefined || (found.path !== '' && isExcluded(options, found.path, name) && !keepsWalking)) {
    throw missing(options, path, written);
  }
  const prefix = options.parents ? parentTarget(path, written) : '';
  if (!isDirectory(found.record)) {
    const file = { path: found.path, target: joinPath(prefix, baseOf(path)), record: found.record };
    return [{ files: [...parentsOf(options, path, prefix), file], isFile: !options.parents, name: baseOf(path) }];
  }
  const below = options.parents ? joinPath(prefix, baseOf(path)) : '';
  const files = walk(options, { directory: found.path, target: below, below: '' });
  const self = { path: found.path, target: below, record: found.record };
  return [{ files: [...parentsOf(options, path, prefix), self, ...files], isFile: false, name: baseOf(path) }];
}

/** With --parents: the directories above the source, from the pivot `/./` on. */
function parentTarget(path: string, written: string): string {
  const pivot = written.indexOf('/./');
  const parent = parentOf(path);
  if (pivot < 0) return parent;
  const before = cleanSource(written.slice(0, pivot));
  return parent === before ? '' : parent.slice(before === '' ? 0 : before.length + 1);
}

function parentsOf({ origin }: SelectOptions, path: string, prefix: string): SelectedFile[] {
  const files: SelectedFile[] = [];
  for (let target = prefix, at = parentOf(path); target !== ''; target = parentOf(target), at = parentOf(at)) {
    const { path: real, record } = resolvePath(origin.tree, at, { follow: true });
    if (record !== undefined) files.unshift({ path: real, target, record });
  }
  return files;
}

interface Place {
  readonly directory: string;
  /** The directory's own. */
  readonly target: string;
  /** Its path below the source. */
  readonly below: string;
}

function walk(options: SelectOptions, { directory, target, below }: Place): SelectedFile[] {
  const files: SelectedFile[] = [];
  for (const [name, record] of options.origin.tree.list(directory)) {
    const path = joinPath(directory, name);
    const child = { path, target: joinPath(target, name), record };
    const inSource = joinPath(below, name);
    const isOut = isExcluded(options, path, inSource);
    if (!isDirectory(record)) {
      if (!isOut) files.push(child);
      continue;
    }
    if (isOut && !mayIncludeBelow(options, path, inSource)) continue;
    const inside = walk(options, { directory: path, target: child.target, below: inSource });
    if (isOut && inside.length === 0) continue;
    files.push(child);
    for (const one of inside) files.push(one);
  }
  return files;
}

function mayIncludeBelow({ origin, excludes }: SelectOptions, path: string, below: string): boolean {
  const [text, source] = [toText(path), toText(below)];
  return (
    (!origin.filter.excludes(text) || origin.filter.mayIncludeBelow(text)) &&
    (!excludes.excludes(source) || excludes.mayIncludeBelow(source))
  );
}

function missing({ origin, excludes }: SelectOptions, path: string, written: string): ImageError {
  const text = toText(path);
  const isThere = resolvePath(origin.tree, path, { follow: true }).record !== undefined;
  const reason = isThere ? (origin.filter.reason(text) ?? excludes.reason(toText(baseOf(path)))) : undefined;
  if (reason !== undefined) return new ImageError('copy-source', `${JSON.stringify(written)} is in ${origin.name}, but ${reason}`);
  const near = nearNames(origin.tree, path);
  return new ImageError('copy-source', `${origin.name} has no ${JSON.stringify(written)}`, {
    ...(near.length === 0 ? {} : { hint: `There ${near.length === 1 ? 'is' : 'are'} ${near.join(', ')}.` }),
  });
}

/** Names beside the missing one that somebody may have meant. */
function nearNames(tree: SearchableTree, path: string): string[] {
  const parent = resolvePath(tree, parentOf(path), { follow: true });
  if (parent.record === undefined || !isDirectory(parent.record)) return [];
  const wanted = toText(baseOf(path)).toLowerCase();
  const names = [...tree.list(parent.path).keys()].map(toText);
  const likely = names.filter((name) => isNear(name.toLowerCase(), wanted));
  return (likely.length > 0 ? likely : names).slice(0, 5).map((name) => joinPath(toText(parent.path), name));
}

function isNear(a: string, b: string): boolean {
  return a.startsWith(b.slice(0, 3)) || a.includes(b) || b.includes(a);
}
