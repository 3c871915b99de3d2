import { readFileSync, statSync } from 'node:fs';
import { isNodeError } from './errors.ts';
import type { FileReader } from './file-reader.ts';

export const nodeFileReader: FileReader = {
  text(path) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
    } catch (error) {
      if (isNodeError(error, 'ENOENT')) return undefined;
      throw error;
    }
  },
  identity(path) {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    return status === undefined ? undefined : `${status.ino}:${status.size}:${status.mtimeNs}:${status.ctimeNs}`;
  },
};
