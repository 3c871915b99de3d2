/** A root file system of one static busybox, as engines import it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUSYBOX } from '../bundle.ts';

const DIRECTORIES = ['bin', 'dev', 'etc', 'home', 'proc', 'sys', 'tmp'];

/** Makes `rootfs` and `rootfs.tar` in a directory. */
export function makeImage(directory: string): { readonly rootfs: string; readonly tar: string } {
  const rootfs = join(directory, 'rootfs');
  for (const name of DIRECTORIES) mkdirSync(join(rootfs, name), { recursive: true });
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
  const applets = spawnSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).stdout.split('\n');
  for (const applet of applets.filter((name) => name !== '' && name !== 'busybox')) symlinkSync('busybox', join(rootfs, 'bin', applet));
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nguest:x:405:100:guest:/home:/bin/sh\n');
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nusers:x:100:guest\n');
  const tar = join(directory, 'rootfs.tar');
  const { status, stderr } = spawnSync('tar', ['-C', rootfs, '-cf', tar, '.'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  return { rootfs, tar };
}
