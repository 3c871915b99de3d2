/** The digest of selected files, by which the result of a COPY is found again. Times are not in it. */

import { createHash } from 'node:crypto';
import { S_IFLNK, S_IFMT, S_IFREG } from '../../../../runtime/src/linux/open-flags.ts';
import { toText } from '../../archive/byte-string.ts';
import type { FileHashes } from '../cache/file-hashes.ts';
import type { Input } from '../cache/inputs.ts';
import type { Origin, Selection } from './select.ts';

/** One input per file, in order: names and values as --explain shows them. */
export function contentInputs(origin: Origin, selections: readonly Selection[], hashes: FileHashes): Input[] {
  return selections.flatMap(({ files, isFile }, index) =>
    files.map(({ path, target, record }) => {
      const format = record.mode & S_IFMT;
      let content = '';
      if (format === S_IFREG) content = hashes.digestOf(path, record, origin.tree.hostPath(path) ?? '');
      else if (format === S_IFLNK) content = toText(record.linkName);
      else if (record.nodeMajor !== 0 || record.nodeMinor !== 0) content = `${record.nodeMajor}:${record.nodeMinor}`;
      const owner = origin.isForeign ? '' : ` ${record.uid}:${record.gid} ${xattrsOf(record.xattrs)}`;
      return {
        name: `file ${path === '' ? '.' : toText(path)}`,
        value: `${isFile ? 'as' : 'in'} ${index} ${toText(target)} ${record.mode.toString(8)}${owner} ${content}`,
      };
    }),
  );
}

function xattrsOf(xattrs: ReadonlyMap<string, Buffer>): string {
  const kept = [...xattrs].filter(([name]) => !/^(?:trusted|user)\.overlay\.|^security\.selinux$/.test(name));
  return kept
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value.toString('hex')}`)
    .join(',');
}

export function digestOfInputs(inputs: readonly Input[]): string {
  const hash = createHash('sha256');
  for (const { name, value } of inputs) hash.update(`${name}\0${value}\0`);
  return hash.digest('hex');
}
