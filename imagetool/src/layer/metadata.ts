/** Giving files their owner, mode, xattrs and times, in the order in which one does not undo another. */

import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EACCES, EOPNOTSUPP, EPERM, syscallError } from '../../../runtime/src/linux/errno.ts';
import { AT_SYMLINK_NOFOLLOW } from '../../../runtime/src/linux/open-flags.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { toText } from '../archive/byte-string.ts';
import type { TarEntry, Timestamp } from '../archive/tar-entry.ts';
import { pathArgument } from './names.ts';
import { DEVICE_XATTR, encodeDevice, encodeOwner, OWNER_XATTR } from './rootless.ts';

const TIMESPEC_PAIR_BYTES = 32;

/**
 * Xattrs a layer has no say in: how overlayfs reads a directory is the snapshots' affair (a redirect could show any host directory's files),
 * and labels of SELinux and NFS belong to the host.
 */
const FOREIGN_XATTR =
  /^(?:trusted\.overlay\.|user\.overlay\.|security\.selinux$|system\.nfs4_acl$|user\.rootlesscontainers$|user\.tsrun\.)/;

export interface MetadataOptions {
  /** Owners and devices cannot be made: they are recorded in xattrs. */
  readonly isRootless: boolean;
  /** Told of what could not be kept, in a sentence. */
  readonly warn: (message: string) => void;
}

export class MetadataWriter {
  readonly #sys: Sys;
  readonly #options: MetadataOptions;
  readonly #times = new ArrayBuffer(TIMESPEC_PAIR_BYTES);
  readonly #timesView = new DataView(this.#times);

  constructor(sys: Sys, options: MetadataOptions) {
    this.#sys = sys;
    this.#options = options;
  }

  /**
   * For open files and directories. chown(2) takes away set-uid bits and capabilities, so it is first.
   * `isOwned`: the file has its owner already; `isModed`: and its mode.
   */
  setOpen(fd: number, entry: TarEntry, done: { readonly isOwned: boolean; readonly isModed: boolean }): void {
    const object = toText(entry.path);
    if (this.#options.isRootless) this.#record(fd, entry);
    else if (!done.isOwned) call(this.#sys, 'fchown', object, fd, entry.uid, entry.gid);
    if (!done.isModed) call(this.#sys, 'fchmod', object, fd, entry.mode);
    if (entry.xattrs.size > 0) {
      this.#setXattrs(entry, (name, value) => tryCall(this.#sys, 'fsetxattr', fd, pathArgument(name), value, value.byteLength, 0));
    }
  }

  /** For what cannot be opened: links, devices, fifos. */
  setNamed(parentFd: number, name: string, entry: TarEntry): void {
    const object = toText(entry.path);
    const argument = pathArgument(name);
    if (!this.#options.isRootless) call(this.#sys, 'fchownat', object, parentFd, argument, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW);
    // The name was made a moment ago, in this process, as what it is: there is no link to follow, and fchmodat knows no other way.
    if (entry.type !== 'symlink') call(this.#sys, 'fchmodat', object, parentFd, argument, entry.mode);
    if (entry.xattrs.size > 0) {
      const path = pathArgument(`/proc/self/fd/${parentFd}/${name}`);
      this.#setXattrs(entry, (key, value) => tryCall(this.#sys, 'lsetxattr', path, pathArgument(key), value, value.byteLength, 0));
    }
    this.setTimes(parentFd, name, entry.mtime);
  }

  /** The time of the last change of the content; that of the last access is made the same, so that equal layers make equal trees. */
  setTimes(fd: number, name: string | null, mtime: Timestamp): void {
    for (const at of [0, 16]) {
      this.#timesView.setBigInt64(at, BigInt(mtime.seconds), true);
      this.#timesView.setBigInt64(at + 8, BigInt(mtime.nanoseconds), true);
    }
    const argument = name === null ? null : pathArgument(name);
    call(this.#sys, 'utimensat', name === null ? '' : toText(name), fd, argument, this.#times, name === null ? 0 : AT_SYMLINK_NOFOLLOW);
  }

  #record(fd: number, entry: TarEntry): void {
    const set = (name: string, bytes: Buffer) =>
      call(this.#sys, 'fsetxattr', toText(entry.path), fd, name, exactBuffer(bytes), bytes.length, 0);
    if (entry.uid !== 0 || entry.gid !== 0) set(OWNER_XATTR, encodeOwner(entry));
    if (entry.type === 'block' || entry.type === 'character') set(DEVICE_XATTR, encodeDevice(entry));
  }

  #setXattrs(entry: TarEntry, set: (name: string, value: ArrayBuffer) => number): void {
    for (const [name, value] of entry.xattrs) {
      if (FOREIGN_XATTR.test(name)) continue;
      const result = set(name, exactBuffer(value));
      if (result >= 0) continue;
      // File systems without xattrs, and users without the right to set them, get the rest of the layer.
      const isTolerable = result === -EOPNOTSUPP || (this.#options.isRootless && (result === -EPERM || result === -EACCES));
      if (!isTolerable) throw syscallError({ syscall: 'setxattr', errno: -result, object: `${toText(entry.path)} ${toText(name)}` });
      this.#options.warn(`${toText(entry.path)}: the xattr ${toText(name)} could not be set here`);
    }
  }
}

/** Takes away xattrs a directory has from a lower layer, before it gets those of this one. Owners recorded there go as well. */
export function clearXattrs(sys: Sys, fd: number): void {
  const path = `/proc/self/fd/${fd}`;
  const list = new ArrayBuffer(65_536);
  const length = tryCall(sys, 'listxattr', path, list, list.byteLength);
  if (length <= 0) return;
  const remove = sys.symbol('libc.so.6', 'removexattr');
  for (const name of Buffer.from(list, 0, length).toString('latin1').split('\0')) {
    if (name === '' || name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.') || name === 'security.selinux') continue;
    if (remove !== 0) sys.call(remove, path, pathArgument(name));
  }
}

function exactBuffer(bytes: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  bytes.copy(Buffer.from(copy));
  return copy;
}
