/**
 * Where mounts go that the image has no place for. Places are made in a layer of their own, which lies on the image's while the step runs and is
 * no part of its result: so neither `/etc/resolv.conf` nor the target of a secret appears in the image.
 */

import { chmodSync, chownSync, closeSync, mkdirSync, openSync, utimesSync } from 'node:fs';
import { isDirectory } from '../../layer/tree.ts';
import { missingFrom, resolvePath, type SearchableTree } from '../../snapshot/stacked-tree.ts';

export interface MountPlace {
  /** Absolute. */
  readonly path: string;
  readonly isFile: boolean;
}

/** Makes the places that are missing in `directory`, with the directories above them as the image has them. False where none is missing. */
export function makeCover(tree: SearchableTree, places: readonly MountPlace[], directory: string): boolean {
  const made = new Set<string>();
  for (const { path, isFile } of places) {
    const resolved = resolvePath(tree, path, { follow: true });
    if (resolved.record !== undefined) continue;
    const { existing, missing } = missingFrom(tree, resolved.path);
    copyDirectories(tree, existing, directory, made);
    const at = [existing, ...missing].filter((part) => part !== '');
    const before = existing === '' ? 0 : 1;
    for (let length = before + 1; length <= at.length; length += 1) {
      const place = latin1([directory, ...at.slice(0, length)].join('/'));
      const isLast = length === at.length;
      if (isFile && isLast) closeSync(openSync(place, 'a'));
      else mkdirSync(place, { recursive: true });
      // Whatever the umask: users of the image go through them.
      chmodSync(place, isFile && isLast ? 0o644 : 0o755);
    }
    made.add(at.join('/'));
  }
  return made.size > 0;
}

/** A directory that lies on another one is seen with its own owner and mode. */
function copyDirectories(tree: SearchableTree, path: string, directory: string, made: Set<string>): void {
  const parts = path === '' ? [] : path.split('/');
  for (let length = 0; length <= parts.length; length += 1) {
    const at = parts.slice(0, length).join('/');
    const record = at === '' ? tree.root : tree.find(at);
    if (made.has(`${at}/`) || record === undefined || !isDirectory(record)) continue;
    made.add(`${at}/`);
    const target = latin1(`${directory}/${at}`);
    mkdirSync(target, { recursive: true });
    chownSync(target, record.uid, record.gid);
    chmodSync(target, record.mode & 0o7777);
    utimesSync(target, record.mtimeSeconds, record.mtimeSeconds);
  }
}

function latin1(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}
