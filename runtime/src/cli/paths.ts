/** Paths as the user writes them, and what the environment says. */
import { call } from '../linux/call.ts';
import type { Sys } from '../sys/sys.ts';

const PATH_MAX = 4096;

export function workingDirectory(sys: Sys): string {
  const buffer = new ArrayBuffer(PATH_MAX);
  // The result counts the terminating NUL.
  const length = call(sys, 'getcwd', 'the working directory', buffer, PATH_MAX);
  return sys.decode(buffer, 0, length - 1);
}

/** An absolute path without `.`, `..` and doubled slashes, by its text alone. */
export function absolutePath(sys: Sys, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${workingDirectory(sys)}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The value of an environment variable of the caller; an empty one is as good as none. */
export function environmentVariable(sys: Sys, name: string): string | undefined {
  const value = sys.environ.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === '' ? undefined : value;
}
