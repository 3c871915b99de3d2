/** Walking a cgroup and its descendants. */
import { tryCall } from '../linux/call.ts';
import { ENODEV, ENOENT, syscallError } from '../linux/errno.ts';
import { close, tryOpen } from '../linux/files.ts';
import { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';

export interface TreeVisitor {
  /** Called for every cgroup before its children. The descriptor is open for reading and closed by the walk. */
  readonly enter?: (directoryFd: number) => void;
  /** Called for every cgroup but the first, after its children, with a descriptor of its parent. */
  readonly leave?: (parentFd: number, name: string) => void;
}

/**
 * Visits a cgroup and everything below it. One descriptor is open at a time and names are looked up one by one, since a container that
 * may write to its cgroup decides how deep and how wide the tree is. Cgroups that vanish meanwhile are passed over.
 * Returns false when there is no such cgroup.
 */
export function walkTree(sys: Sys, directory: string, visitor: TreeVisitor): boolean {
  let fd = openForReading(sys, directory);
  if (fd < 0) return false;
  try {
    visitor.enter?.(fd);
    const stack: { readonly name: string; readonly children: string[] }[] = [{ name: '', children: childCgroups(sys, fd, directory) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.children.pop();
      if (child !== undefined) {
        const childFd = openForReading(sys, child, fd);
        if (childFd < 0) continue;
        close(sys, fd);
        fd = childFd;
        visitor.enter?.(fd);
        stack.push({ name: child, children: childCgroups(sys, fd, child) });
        continue;
      }
      stack.pop();
      if (stack.length === 0) break;
      // Cgroups are never moved, so `..` is where we came from.
      const parentFd = openForReading(sys, '..', fd);
      if (parentFd < 0) throw syscallError({ syscall: 'openat', errno: ENOENT, object: `parent of cgroup ${top.name} in ${directory}` });
      close(sys, fd);
      fd = parentFd;
      visitor.leave?.(fd, top.name);
    }
    return true;
  } finally {
    close(sys, fd);
  }
}

/** A descriptor, or a negated errno that means "there is no such cgroup (any more)". */
function openForReading(sys: Sys, path: string, at?: number): number {
  const flags = O_RDONLY | O_DIRECTORY(sys.arch) | O_NOFOLLOW(sys.arch);
  const fd = tryOpen(sys, path, at === undefined ? { flags } : { flags, at });
  if (fd < 0 && fd !== -ENOENT && fd !== -ENODEV) throw syscallError({ syscall: 'openat', errno: -fd, object: path });
  return fd;
}

const DT_DIR = 4;

function childCgroups(sys: Sys, fd: number, object: string): string[] {
  const names: string[] = [];
  const buffer = new ArrayBuffer(16384);
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  for (;;) {
    const length = tryCall(sys, 'getdents64', fd, buffer, buffer.byteLength);
    if (length === 0 || length === -ENOENT) return names;
    if (length < 0) throw syscallError({ syscall: 'getdents64', errno: -length, object });
    for (let offset = 0; offset < length; offset += view.getUint16(offset + 16, true)) {
      // Only directories are decoded: a cgroup has some fifty files, and no directories but its children.
      if (view.getUint8(offset + 18) !== DT_DIR) continue;
      const start = offset + 19;
      const name = sys.decode(buffer, start, bytes.indexOf(0, start) - start);
      if (name !== '.' && name !== '..') names.push(name);
    }
  }
}
