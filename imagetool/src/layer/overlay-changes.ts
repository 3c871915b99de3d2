/** What an overlay's upper directory says (Documentation/filesystems/overlayfs.rst). `redirect_dir` and `metacopy` must have been off. */

import { S_IFCHR, S_IFMT } from '../../../runtime/src/linux/open-flags.ts';
import { type Change, compareChanges } from './changes.ts';
import { joinPath } from './names.ts';
import { type FileRecord, isDirectory, isFile, type Tree } from './tree.ts';

/** Whether lower layers have something at a path, and what. */
export type LowerLookup = (path: string) => FileRecord | undefined;

/** What overlayfs notes on files, and does not show. */
export const OVERLAY_XATTR = /^(?:trusted|user)\.overlay\./;

export function overlayChanges(upper: Tree, lower: LowerLookup): Change[] {
  const changes: Change[] = [];
  const visit = (path: string, isHidden: boolean): void => {
    for (const [name, record] of upper.list(path)) {
      const child = joinPath(path, name);
      const old = isHidden ? undefined : lower(child);
      const oldSize = old !== undefined && isFile(old) ? { oldSize: old.size } : {};
      if (isWhiteout(record)) {
        // Kernels leave whiteouts of files that were made and removed again in a new directory.
        if (old !== undefined) changes.push({ kind: 'delete', path: child, ...oldSize });
        continue;
      }
      const isOpaque = isDirectory(record) && isOpaqueDirectory(record);
      // New directories are marked opaque as well: that hides nothing.
      const hides = isOpaque && old !== undefined && isDirectory(old);
      changes.push({
        kind: old === undefined ? 'add' : 'modify',
        path: child,
        record: withoutMarks(record),
        ...oldSize,
        ...(hides ? { isOpaque: true } : {}),
      });
      if (isDirectory(record)) visit(child, isHidden || isOpaque || old === undefined || !isDirectory(old));
    }
  };
  visit('', false);
  return changes.sort(compareChanges);
}

/** A character device 0/0, or, where those cannot be made, an empty file with an xattr. */
/** A mark for a removed file, of either kind. */
export function isWhiteout(record: FileRecord): boolean {
  if ((record.mode & S_IFMT) === S_IFCHR) return record.nodeMajor === 0 && record.nodeMinor === 0;
  return (
    isFile(record) && record.size === 0 && (record.xattrs.has('trusted.overlay.whiteout') || record.xattrs.has('user.overlay.whiteout'))
  );
}

function isOpaqueDirectory(record: FileRecord): boolean {
  const mark = record.xattrs.get('trusted.overlay.opaque') ?? record.xattrs.get('user.overlay.opaque');
  return mark?.toString('latin1') === 'y';
}

function withoutMarks(record: FileRecord): FileRecord {
  return { ...record, xattrs: new Map([...record.xattrs].filter(([name]) => !OVERLAY_XATTR.test(name))) };
}
