/** The mounts of a root file system that containerd asks for: made on the host before a container is created, and undone with it. */
import { RuntimeError, SyscallError } from '../../../runtime/src/base/errors.ts';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { EINVAL, ENOENT, syscallError } from '../../../runtime/src/linux/errno.ts';
import { close, mkdirAll, openDirectory } from '../../../runtime/src/linux/files.ts';
import { MNT_DETACH, MS_BIND, MS_REC } from '../../../runtime/src/linux/mount-flags.ts';
import { AT_FDCWD } from '../../../runtime/src/linux/open-flags.ts';
import { type MountOptions, parseMountOptions } from '../../../runtime/src/plan/mount-options.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { RootfsMount } from './operations/operation.ts';

const DIRECTORY_MODE = 0o711;
const UMOUNT_NOFOLLOW = 8;
const MOUNT_ATTR_BYTES = 32;
/** mount(2) takes one page, the terminating NUL included. */
const LONGEST_DATA = 4095;

/** Makes the mounts in order, the first on `rootfs`, which is made if need be. When one fails, none is left. */
export function mountRootfs(sys: Sys, rootfs: string, mounts: readonly RootfsMount[]): void {
  mkdirAll(sys, rootfs, DIRECTORY_MODE);
  try {
    for (const [index, mount] of mounts.entries()) mountOne(sys, rootfs, mount, `rootfs[${index}]`);
  } catch (error) {
    unmountAll(sys, rootfs);
    throw error;
  }
}

/** Takes everything off `rootfs` that is mounted there, with all below it. What is not there is no error. */
export function unmountAll(sys: Sys, rootfs: string): void {
  for (;;) {
    const result = tryCall(sys, 'umount2', rootfs, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (result === -EINVAL || result === -ENOENT) return;
    if (result < 0) throw syscallError({ syscall: 'umount2', errno: -result, object: rootfs });
  }
}

function mountOne(sys: Sys, rootfs: string, mount: RootfsMount, configPath: string): void {
  const options = parseMountOptions(mount.options.filter((option) => !/^x-/i.test(option)));
  const target = targetOf(rootfs, mount.target, configPath);
  if (options.data.includes('loop')) {
    throw new RuntimeError('mount-loop', `${configPath}: option "loop" of ${mount.source} is not supported`, {
      configPath,
      hint: 'have the image attached to a loop device (losetup) and give the device as source',
    });
  }
  try {
    if (options.bind === 'no') mountFileSystem(sys, mount, target, options);
    else call(sys, 'mount', target, mount.source, target, null, MS_BIND | (options.bind === 'tree' ? MS_REC : 0), null);
    setAttributes(sys, target, options);
    for (const { flag, recursive } of options.propagations)
      call(sys, 'mount', target, null, target, null, flag | (recursive ? MS_REC : 0), null);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw syscallError(
      { syscall: error.syscall, errno: error.errno, object: target, configPath, cause: error },
      `failed to mount rootfs component: mount ${mount.type} ${mount.source} on ${target}`,
    );
  }
}

function targetOf(rootfs: string, target: string, configPath: string): string {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new RuntimeError('mount-target', `${configPath}: target ${target} leads out of the root file system`, { configPath });
  return [rootfs, ...parts].join('/');
}

function mountFileSystem(sys: Sys, { type, source }: RootfsMount, target: string, options: MountOptions): void {
  const data = options.data.join(',');
  if (new Uint8Array(sys.encode(data)).length <= LONGEST_DATA) {
    call(sys, 'mount', target, source, target, type, options.superFlags, data === '' ? null : data);
    return;
  }
  // A hundred layers of an overlay do not fit on the page, unless their common directory is named by a descriptor.
  const directory = commonDirectory(options.data);
  const fd = openDirectory(sys, directory);
  try {
    const short = data.replaceAll(`${directory}/`, `/proc/self/fd/${fd}/`);
    if (new Uint8Array(sys.encode(short)).length > LONGEST_DATA) {
      throw new RuntimeError('mount-too-long', `the options of the ${type} mount on ${target} do not fit on a page`, {
        hint: 'the image has too many layers, or they lie in directories with too long names',
      });
    }
    call(sys, 'mount', target, source, target, type, options.superFlags, short);
  } finally {
    close(sys, fd);
  }
}

/** The longest directory that all layers of an overlay are in. Pure. */
export function commonDirectory(data: readonly string[]): string {
  const layers = data.filter((option) => option.startsWith('lowerdir=')).flatMap((option) => option.slice('lowerdir='.length).split(':'));
  const [first = [], ...others] = layers.map((layer) => layer.split('/').slice(0, -1));
  const length = others.reduce((most, parts) => {
    const differs = first.findIndex((part, index) => part !== parts[index]);
    return differs === -1 ? most : Math.min(most, differs);
  }, first.length);
  return first.slice(0, length).join('/') || '/';
}

function setAttributes(sys: Sys, target: string, { attributes: { set, clear } }: MountOptions): void {
  if (set === 0 && clear === 0) return;
  const attr = new ArrayBuffer(MOUNT_ATTR_BYTES);
  const view = new DataView(attr);
  view.setBigUint64(0, BigInt(set), true);
  view.setBigUint64(8, BigInt(clear), true);
  call(sys, 'mount_setattr', target, AT_FDCWD, target, 0, attr, MOUNT_ATTR_BYTES);
}
