/** Names of files on their way into system calls, and paths of layers. Everywhere byte strings, as in `archive/`. */

import type { CallArgument } from '../../../runtime/src/sys/sys.ts';
import { isAscii, toText } from '../archive/byte-string.ts';
import { TarError } from '../archive/tar-entry.ts';

/** A byte string as an argument of a system call: strings are passed on as UTF-8, so bytes beyond ASCII go as a buffer. */
export function pathArgument(bytes: string): CallArgument {
  if (isAscii(bytes)) return bytes;
  const buffer = new ArrayBuffer(bytes.length + 1);
  Buffer.from(buffer).write(bytes, 'latin1');
  return buffer;
}

/**
 * The path inside the root that an archive's path means, without slashes at its ends; empty for the root itself.
 * Throws TarError for one that goes up: a layer has no honest use for `..`.
 */
export function layerPath(path: string): string {
  if (!path.includes('//') && !path.includes('.') && !path.startsWith('/') && !path.endsWith('/')) return path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new TarError(`entry ${JSON.stringify(toText(path))} leaves the root`);
  return parts.join('/');
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
