import { readFileIfExists } from '../../../runtime/src/linux/files.ts';
import { fileIdentity } from '../../../runtime/src/linux/stat.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { FileReader } from './file-reader.ts';

export function sysFileReader(sys: Sys): FileReader {
  return {
    text(path) {
      const text = readFileIfExists(sys, path);
      // What is not UTF-8 is decoded to it, and a file in which somebody has written it is rare enough to be read otherwise.
      if (text?.includes('\ufffd')) throw new Error(`${path} is not UTF-8`);
      return text;
    },
    identity: (path) => fileIdentity(sys, path),
  };
}
