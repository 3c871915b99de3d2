import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Draft, onBothEngines, userNamespace } from './ground.ts';
import { mountAt, parseMountInfo } from './mountinfo.ts';

/** /tree has files and directories of every kind that a path can lead to. */
function tree(path: string): void {
  mkdirSync(join(path, 'tree/secret/deep/deeper'), { recursive: true });
  writeFileSync(join(path, 'tree/secret/key'), 'secret');
  writeFileSync(join(path, 'tree/secret/deep/key'), 'secret');
  writeFileSync(join(path, 'tree/file'), 'secret');
  symlinkSync('/tree/file', join(path, 'tree/link'));
  symlinkSync('nothing', join(path, 'tree/dangling'));
  symlinkSync('../../../../../../etc/hostname', join(path, 'tree/out'));
}

const restrict =
  (maskedPaths: string[], readonlyPaths: string[] = []) =>
  (config: Draft): void => {
    config.linux.maskedPaths = maskedPaths;
    config.linux.readonlyPaths = readonlyPaths;
  };

onBothEngines('restricted paths', (ground) => {
  it('are empty when they are masked: files are /dev/null, directories have nothing, links lead to what they mask', () => {
    const { lines } = ground().sh(
      'for f in file link; do stat -L -c "%F %t:%T" /tree/$f; cat /tree/$f; done; ls -A /tree/secret; echo x > /tree/file; touch /tree/secret/x; ls /tree',
      restrict(['/tree/secret', '/tree/link', '/tree/dangling', '/nothing/at/all', '/tree/out']),
      { rootfs: tree },
    );
    expect(lines).toEqual([
      'character special file 1:3',
      'character special file 1:3',
      'touch: /tree/secret/x: Read-only file system',
      'dangling',
      'file',
      'link',
      'out',
      'secret',
    ]);
  });

  it('cannot be written when they are read-only, nor can what is below, and keep their other attributes', () => {
    const { lines } = ground().sh(
      'touch /tree/new /tree/secret/new; echo x > /one/file; cat /proc/self/mountinfo',
      (config) => {
        restrict([], ['/tree', '/one/file', '/nothing', '/dev/shm'])(config);
        config.mounts.push({ destination: '/one', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'noatime'] });
        config.mounts.push({ destination: '/one/file', source: 'config.json', options: ['bind', 'noexec'] });
      },
      { rootfs: tree },
    );
    expect(lines.slice(0, 3)).toEqual([
      'touch: /tree/new: Read-only file system',
      'touch: /tree/secret/new: Read-only file system',
      "/bin/sh: can't create /one/file: Read-only file system",
    ]);
    expect(mountAt(lines, '/one/file').options).toBe('ro,noexec,relatime');
    expect(mountAt(lines, '/dev/shm').options).toBe('ro,nosuid,nodev,noexec,relatime');
    expect(mountAt(lines, '/one').options).toBe('rw,nosuid,noatime');
  });

  it('may lie below each other, in any order, and may be both', () => {
    const { lines } = ground().sh(
      'ls -A /tree/secret/deep /tree/other/deep; cat /tree/secret/key; cat /tree/file; touch /tree/secret/x; echo x > /tree/file',
      restrict(['/tree/secret/deep', '/tree/other/deep', '/tree/other', '/tree/file'], ['/tree/secret', '/tree', '/tree/file']),
      {
        rootfs: (path) => {
          tree(path);
          mkdirSync(join(path, 'tree/other/deep/key'), { recursive: true });
        },
      },
    );
    expect(lines).toEqual([
      'ls: /tree/other/deep: No such file or directory',
      '/tree/secret/deep:',
      'secrettouch: /tree/secret/x: Read-only file system',
    ]);
  });

  it('hold in a user namespace, whose root cannot take them away', () => {
    const { lines } = ground().sh(
      'cat /tree/file; ls -A /tree/secret; umount /tree/file; umount /tree/secret; mount -o remount,bind,rw /tree/ro; touch /tree/ro/x; cat /tree/file',
      (config) => {
        userNamespace(config);
        restrict(['/tree/secret', '/tree/file', '/proc/keys'], ['/tree/ro', '/proc/sys'])(config);
      },
      {
        rootfs: (path) => {
          tree(path);
          mkdirSync(join(path, 'tree/ro'));
        },
      },
    );
    expect(lines.filter((line) => line.startsWith('touch'))).toEqual(['touch: /tree/ro/x: Read-only file system']);
    expect(lines.join()).not.toContain('secret,');
    expect(lines.filter((line) => line === 'secret')).toEqual([]);
  });

  it.each([
    ['maskedPaths', ['/tree/loop'], []],
    ['readonlyPaths', [], ['/tree/loop']],
  ] as const)('that cannot be reached make create fail, rather than stay open: %s', (name, masked, readonly) => {
    const error = ground().refused(restrict([...masked], [...readonly]), {
      rootfs: (path) => {
        tree(path);
        symlinkSync('loop', join(path, 'tree/loop'));
      },
    });
    expect(error).toContain('too many levels of symbolic links');
    expect(error).toContain(`linux.${name}[0]`);
  });

  it('share one file system for a hundred masked directories, however many processors the host has', () => {
    const names = Array.from({ length: 100 }, (_, index) => `/tree/${index}`);
    const { lines } = ground().sh('cat /proc/self/mountinfo', restrict(names), {
      rootfs: (path) => {
        for (const name of names) mkdirSync(join(path, name, 'below'), { recursive: true });
      },
    });
    const masks = parseMountInfo(lines).filter(({ point }) => point.startsWith('/tree/'));
    expect(masks.map(({ point }) => point)).toEqual(names);
    expect([...new Set(masks.map(({ device, options }) => `${device} ${options}`))]).toEqual([
      expect.stringMatching(/^0:\d+ ro,nosuid,nodev,noexec,relatime$/),
    ]);
  });

  it('are those of procfs and sysfs by default', () => {
    const { lines } = ground().sh(
      'echo 1 > /proc/sys/kernel/printk; ls -A /sys/firmware; cat /proc/keys /proc/timer_list; cat /proc/self/mountinfo',
    );
    expect(lines[0]).toBe("/bin/sh: can't create /proc/sys/kernel/printk: Read-only file system");
    expect(mountAt(lines, '/proc/keys')).toMatchObject({ root: '/null', type: 'devtmpfs' });
    expect(lines[1]).toMatch(/^\d+ \d+ /);
  });
});
