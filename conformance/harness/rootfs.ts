import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROBE } from '../probe/probe.ts';

/** The programs of the container: what the probe and the tests use. */
const APPLETS =
  'awk cat chmod chown cut dd echo env false grep head hostname id ionice ip kill ln ls mkdir mknod mount nc nproc od ps pwd readlink rm sed sh sleep sort stat stty su tail test touch tr true tty umount uname usleep wc'.split(
    ' ',
  );
const DIRECTORIES = ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'mnt'];

/** The static busybox that a root file system is made of, copied once for the run so that it can be linked. */
export function prepareBusybox(directory: string, path = findBusybox()): string {
  const copy = join(directory, 'busybox');
  copyFileSync(path, copy);
  chmodSync(copy, 0o755);
  return copy;
}

function findBusybox(): string {
  const folders = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/lib/busybox'];
  const path = folders.map((folder) => join(folder, 'busybox')).find((name) => existsSync(name) && isStatic(name));
  if (path === undefined)
    throw new Error(
      'there is no static busybox for the root file systems: install it (Debian: busybox-static), or name one with --busybox',
    );
  return path;
}

/** A dynamic executable names its interpreter near its beginning. */
function isStatic(path: string): boolean {
  return !/ld-(linux|musl)/.test(readFileSync(path).subarray(0, 4096).toString('latin1'));
}

/** Makes a root file system, whose files are links to `busybox`. */
export function makeRootfs(rootfs: string, busybox: string): void {
  for (const name of DIRECTORIES) {
    mkdirSync(join(rootfs, name), { recursive: true });
    chmodSync(join(rootfs, name), 0o755);
  }
  linkSync(busybox, join(rootfs, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', applet));
  writeFileSync(join(rootfs, 'bin/probe'), PROBE, { mode: 0o755 });
}
