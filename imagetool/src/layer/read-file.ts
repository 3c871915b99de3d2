/** Reading a file of a tree that is not trusted: never outside it, never something else than a file, never more than a limit. */

import { closeSync, fstatSync, readSync } from 'node:fs';
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { ELOOP, ENOENT, ENOTDIR, syscallError } from '../../../runtime/src/linux/errno.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../../../runtime/src/linux/open-flags.ts';
import { openHow, tryOpenat2 } from '../../../runtime/src/linux/openat2.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ImageError } from '../base/errors.ts';
import { pathArgument } from './names.ts';

/** The content of a file at a path inside a root, symbolic links leading to places inside it; undefined where there is no such file. */
export function readFileInRoot(sys: Sys, root: string, path: string, limitBytes = 8 * 1024 * 1024): Buffer | undefined {
  const rootFd = tryCall(sys, 'openat', AT_FDCWD, pathArgument(root), O_RDONLY | O_DIRECTORY(sys.arch) | O_CLOEXEC, 0);
  if (rootFd < 0) throw syscallError({ syscall: 'openat', errno: -rootFd, object: root });
  try {
    // Without O_NONBLOCK a fifo would keep us for ever.
    const how = openHow(O_RDONLY | O_NONBLOCK, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    const fd = tryOpenat2(sys, rootFd, pathArgument(path), how);
    if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return undefined;
    if (fd < 0) throw syscallError({ syscall: 'openat2', errno: -fd, object: path });
    return readAndClose(fd, path, limitBytes);
  } finally {
    closeSync(rootFd);
  }
}

function readAndClose(fd: number, path: string, limitBytes: number): Buffer | undefined {
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) return undefined;
    if (status.size > limitBytes) throw new ImageError('layer', `${path} in the image is ${status.size} bytes long`);
    const content = Buffer.alloc(status.size);
    const read = readSync(fd, content, 0, content.length, 0);
    return content.subarray(0, read);
  } finally {
    closeSync(fd);
  }
}
