/** Small facts about blobs that are not in them: where a layer came from, its uncompressed digest, what it was compressed from. */

import { rmSync } from 'node:fs';
import type { Digest } from '../../../specs/image/digest.ts';
import { isObject } from '../../../specs/image/shape.ts';
import { labelsPath } from './blob-paths.ts';
import { readIfExists, replaceHint } from './files.ts';
import type { Layout } from './layout.ts';
import { withLock } from './lock.ts';
import type { Store } from './store.ts';

export const LABEL = {
  /** The digest of the layer's uncompressed tar. */
  diffId: 'diff-id',
  /** Followed by a registry's host; the value is a list of repositories there, joined by commas: where a push can mount the blob from. */
  sourcePrefix: 'source.',
} as const;

/** The labels of a blob; none if it has none, or if a crash left an unreadable file: every label can be found out again. */
export function readLabels(layout: Layout, digest: Digest): Readonly<Record<string, string>> {
  const text = readIfExists(labelsPath(layout, digest));
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return {};
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

/** Adds and replaces labels; the other ones stay. */
export async function writeLabels(store: Store, digest: Digest, labels: Readonly<Record<string, string>>): Promise<void> {
  const isNews = (old: Readonly<Record<string, string>>) => Object.entries(labels).some(([key, value]) => old[key] !== value);
  if (!isNews(readLabels(store.layout, digest))) return;
  await withLock(store.sys, store.layout.lock, 'exclusive', () => {
    replaceHint(labelsPath(store.layout, digest), `${JSON.stringify({ ...readLabels(store.layout, digest), ...labels })}\n`);
  });
}

/** Remembers that a repository of a registry has the blob. */
export async function addSource(store: Store, digest: Digest, repository: { host: string; path: string }): Promise<void> {
  const key = LABEL.sourcePrefix + repository.host;
  const known = sourcesOf(store.layout, digest, repository.host);
  if (!known.includes(repository.path)) await writeLabels(store, digest, { [key]: [...known, repository.path].join(',') });
}

/** Repositories of a registry that are known to have the blob. */
export function sourcesOf(layout: Layout, digest: Digest, host: string): string[] {
  const value = readLabels(layout, digest)[LABEL.sourcePrefix + host];
  return value === undefined || value === '' ? [] : value.split(',');
}

export function removeLabels(layout: Layout, digest: Digest): void {
  rmSync(labelsPath(layout, digest), { force: true });
}
