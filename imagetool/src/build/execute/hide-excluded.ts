/** Lays whiteouts over the files of a context that .dockerignore excludes, so that a step which has the context mounted does not see them. */

import { mkdirSync } from 'node:fs';
import { call } from '../../../../runtime/src/linux/call.ts';
import { AT_FDCWD, S_IFCHR } from '../../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { toText } from '../../archive/byte-string.ts';
import { joinPath, pathArgument } from '../../layer/names.ts';
import { isDirectory } from '../../layer/tree.ts';
import type { Origin } from '../copy/select.ts';

/** False where nothing is excluded. */
export function hideExcluded(sys: Sys, { tree, filter }: Origin, directory: string): boolean {
  let hidden = 0;
  const visit = (path: string): void => {
    for (const [name, record] of tree.list(path)) {
      const child = joinPath(path, name);
      const text = toText(child);
      if (!filter.excludes(text)) {
        if (isDirectory(record)) visit(child);
      } else if (isDirectory(record) && filter.mayIncludeBelow(text)) visit(child);
      else {
        hidden += 1;
        mkdirSync(Buffer.from(joinPath(directory, path), 'latin1'), { recursive: true });
        call(sys, 'mknodat', text, AT_FDCWD, pathArgument(joinPath(directory, child)), S_IFCHR, 0);
      }
    }
  };
  visit('');
  return hidden > 0;
}
