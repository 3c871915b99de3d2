/** Reading xattrs of a path that is not followed. Names are byte strings. */

import { tryCall } from '../../../runtime/src/linux/call.ts';
import { ENODATA, EOPNOTSUPP, syscallError } from '../../../runtime/src/linux/errno.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import { pathArgument } from './names.ts';

/** The kernel's own limits (XATTR_LIST_MAX, XATTR_SIZE_MAX): both always suffice. */
const list = new ArrayBuffer(65_536);
const value = new ArrayBuffer(65_536);
const NONE: ReadonlyMap<string, Buffer> = new Map();

/** All xattrs this process may see, by name. Empty on file systems that have none. */
export function listXattrs(sys: Sys, path: string): ReadonlyMap<string, Buffer> {
  const argument = pathArgument(path);
  const length = tryCall(sys, 'llistxattr', argument, list, list.byteLength);
  if (length === 0 || length === -EOPNOTSUPP) return NONE;
  if (length < 0) throw syscallError({ syscall: 'llistxattr', errno: -length, object: toText(path) });
  const names = Buffer.from(list, 0, length).toString('latin1').split('\0');
  const xattrs = new Map<string, Buffer>();
  for (const name of names) {
    if (name === '') continue;
    const size = tryCall(sys, 'lgetxattr', argument, pathArgument(name), value, value.byteLength);
    // Removed between the two calls.
    if (size === -ENODATA) continue;
    if (size < 0) throw syscallError({ syscall: 'lgetxattr', errno: -size, object: `${toText(path)} ${toText(name)}` });
    xattrs.set(name, Buffer.from(Buffer.from(value, 0, size)));
  }
  return xattrs;
}
