import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hasErrorCode } from './files.ts';
import type { FolderReader } from './folder-reader.ts';

export const nodeFolderReader: FolderReader = {
  text: (path) => unlessMissing(() => readFileSync(path, 'utf8')),
  names: (path) => unlessMissing(() => readdirSync(path)) ?? [],
  link: (path) => unlessMissing(() => readlinkSync(path)),
};

/** A process may end between open and read (ESRCH); EINVAL: it is there, but no link. */
function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ESRCH', 'EINVAL')) return undefined;
    throw error;
  }
}
