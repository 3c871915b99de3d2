import { EINVAL, ENOENT, ENOTDIR, ESRCH, isErrno } from '../../../runtime/src/linux/errno.ts';
import { listDirectory, readFileIfExists, readLink } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { FolderReader } from './folder-reader.ts';

export function sysFolderReader(sys: Sys): FolderReader {
  return {
    text: (path) => unlessMissing(() => readFileIfExists(sys, path)),
    names: (path) => unlessMissing(() => listDirectory(sys, path)) ?? [],
    link: (path) => unlessMissing(() => readLink(sys, path)),
  };
}

/** A process may end between open and read (ESRCH); EINVAL: it is there, but no link. */
function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, ENOENT, ENOTDIR, ESRCH, EINVAL)) return undefined;
    throw error;
  }
}
