import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { MOUNT_FLAG_OPTIONS, MOUNT_PROPAGATION_OPTIONS, MOUNT_RECURSIVE_OPTIONS } from '../../specs/runtime/mounts.ts';
import { onBothEngines } from './ground.ts';
import { mountAt } from './mountinfo.ts';

/** [options of a tmpfs, options of the mount, options of the file system] */
const FLAGS: readonly (readonly [readonly string[], string, string])[] = [
  [['defaults'], 'rw,relatime', 'rw'],
  [['ro'], 'ro,relatime', 'ro'],
  [['ro', 'rw'], 'rw,relatime', 'rw'],
  [['nosuid'], 'rw,nosuid,relatime', 'rw'],
  [['nosuid', 'suid'], 'rw,relatime', 'rw'],
  [['nodev'], 'rw,nodev,relatime', 'rw'],
  [['nodev', 'dev'], 'rw,relatime', 'rw'],
  [['noexec'], 'rw,noexec,relatime', 'rw'],
  [['noexec', 'exec'], 'rw,relatime', 'rw'],
  [['noatime'], 'rw,noatime', 'rw'],
  [['noatime', 'atime'], 'rw,relatime', 'rw'],
  [['nodiratime'], 'rw,nodiratime,relatime', 'rw'],
  [['nodiratime', 'diratime'], 'rw,relatime', 'rw'],
  [['relatime'], 'rw,relatime', 'rw'],
  [['relatime', 'norelatime'], 'rw,relatime', 'rw'],
  [['strictatime'], 'rw', 'rw'],
  [['strictatime', 'nostrictatime'], 'rw,relatime', 'rw'],
  [['noatime', 'strictatime'], 'rw', 'rw'],
  [['nosymfollow'], 'rw,relatime,nosymfollow', 'rw'],
  [['nosymfollow', 'symfollow'], 'rw,relatime', 'rw'],
  [['sync'], 'rw,relatime', 'rw,sync'],
  [['sync', 'async'], 'rw,relatime', 'rw'],
  [['dirsync'], 'rw,relatime', 'rw,dirsync'],
  [['mand'], 'rw,relatime', 'rw,mand'],
  [['mand', 'nomand'], 'rw,relatime', 'rw'],
  [['lazytime'], 'rw,relatime', 'rw,lazytime'],
  [['lazytime', 'nolazytime'], 'rw,relatime', 'rw'],
  [['iversion', 'nosuid'], 'rw,nosuid,relatime', 'rw'],
  [['iversion', 'noiversion'], 'rw,relatime', 'rw'],
  [['silent', 'noatime'], 'rw,noatime', 'rw'],
  [['silent', 'noatime', 'rrelatime', 'rnosuid', 'nodev', 'rdev'], 'rw,nosuid,relatime', 'rw'],
  [['noatime', 'rrelatime', 'rnosuid', 'nodev', 'rdev'], 'rw,nosuid,relatime', 'rw'],
  [['iversion', 'noexec', 'nodiratime', 'nosymfollow', 'ro'], 'ro,noexec,nodiratime,relatime,nosymfollow', 'ro'],
  [['silent', 'shared'], 'rw,relatime', 'rw'],
  [['silent', 'strictatime', 'ro'], 'ro', 'ro'],
  [['silent', 'loud'], 'rw,relatime', 'rw'],
  [['size=64k', 'mode=0750'], 'rw,relatime', 'rw,size=64k,mode=750'],
  [['size=64k,mode=0750', 'ro'], 'ro,relatime', 'ro,size=64k,mode=750'],
  [['iversion', 'size=64k', 'mode=0750'], 'rw,relatime', 'rw,size=64k,mode=750'],
  [
    ['nosuid', 'noexec', 'nodev', 'noatime', 'nodiratime', 'ro', 'nosymfollow'],
    'ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow',
    'ro',
  ],
];

/** [options of a bind mount, of the mount, of a mount below it]; the source is noatime, nosuid and what is below it nodev. */
const BINDS: readonly (readonly [readonly string[], string, string | undefined])[] = [
  [['bind'], 'rw,nosuid,noatime', undefined],
  [['rbind'], 'rw,nosuid,noatime', 'rw,nodev,relatime'],
  [['bind', 'ro'], 'ro,nosuid,noatime', undefined],
  [['rbind', 'ro'], 'ro,nosuid,noatime', 'rw,nodev,relatime'],
  [['rbind', 'suid', 'strictatime'], 'rw', 'rw,nodev,relatime'],
  [['rbind', 'relatime', 'noexec'], 'rw,nosuid,noexec,relatime', 'rw,nodev,relatime'],
  [['rbind', 'rro'], 'ro,nosuid,noatime', 'ro,nodev,relatime'],
  [['rbind', 'rro', 'rrw'], 'rw,nosuid,noatime', 'rw,nodev,relatime'],
  [['rbind', 'ro', 'rrw'], 'rw,nosuid,noatime', 'rw,nodev,relatime'],
  [['rbind', 'rnosuid'], 'rw,nosuid,noatime', 'rw,nosuid,nodev,relatime'],
  [['rbind', 'rsuid'], 'rw,noatime', 'rw,nodev,relatime'],
  [['rbind', 'rnodev'], 'rw,nosuid,nodev,noatime', 'rw,nodev,relatime'],
  [['rbind', 'rdev'], 'rw,nosuid,noatime', 'rw,relatime'],
  [['rbind', 'rnoexec'], 'rw,nosuid,noexec,noatime', 'rw,nodev,noexec,relatime'],
  [['rbind', 'rnoexec', 'rexec'], 'rw,nosuid,noatime', 'rw,nodev,relatime'],
  [['rbind', 'rnoatime'], 'rw,nosuid,noatime', 'rw,nodev,noatime'],
  [['rbind', 'ratime'], 'rw,nosuid,relatime', 'rw,nodev,relatime'],
  [['rbind', 'rstrictatime'], 'rw,nosuid', 'rw,nodev'],
  [['rbind', 'rnostrictatime'], 'rw,nosuid,relatime', 'rw,nodev,relatime'],
  [['rbind', 'rrelatime'], 'rw,nosuid,relatime', 'rw,nodev,relatime'],
  [['rbind', 'rnorelatime'], 'rw,nosuid,relatime', 'rw,nodev,relatime'],
  [['rbind', 'rnodiratime'], 'rw,nosuid,noatime,nodiratime', 'rw,nodev,nodiratime,relatime'],
  [['rbind', 'rnodiratime', 'rdiratime'], 'rw,nosuid,noatime', 'rw,nodev,relatime'],
  [['rbind', 'rnosymfollow'], 'rw,nosuid,noatime,nosymfollow', 'rw,nodev,relatime,nosymfollow'],
  [['rbind', 'rnosymfollow', 'rsymfollow'], 'rw,nosuid,noatime', 'rw,nodev,relatime'],
];

/** [options, propagation of the mount, of a mount below it] of a bind mount of a shared tree. */
const PROPAGATIONS: readonly (readonly [readonly string[], RegExp, RegExp])[] = [
  [['rbind', 'private'], /^$/, /^shared:\d+$/],
  [['rbind', 'rprivate'], /^$/, /^$/],
  [['rbind', 'shared'], /^shared:\d+$/, /^shared:\d+$/],
  [['rbind', 'rprivate', 'rshared'], /^shared:\d+$/, /^shared:\d+$/],
  [['rbind', 'slave'], /^master:\d+$/, /^shared:\d+$/],
  [['rbind', 'rslave'], /^master:\d+$/, /^master:\d+$/],
  [['rbind', 'rslave', 'shared'], /^shared:\d+ master:\d+$/, /^master:\d+$/],
  [['rbind', 'unbindable'], /^unbindable$/, /^shared:\d+$/],
  [['rbind', 'runbindable'], /^unbindable$/, /^unbindable$/],
];

onBothEngines('mount options', (ground) => {
  it('are every one of the specification', () => {
    const tested = new Set([...FLAGS, ...BINDS, ...PROPAGATIONS].flatMap(([options]) => options));
    const known = [...MOUNT_FLAG_OPTIONS, ...MOUNT_PROPAGATION_OPTIONS, ...MOUNT_RECURSIVE_OPTIONS];
    // Remounting has a test of its own.
    expect(known.filter((option) => !tested.has(option))).toEqual(['remount']);
  });

  it('are flags of a new file system', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo', (config) => {
      for (const [index, [options]] of FLAGS.entries()) {
        config.mounts.push({ destination: `/m/${index}`, type: 'tmpfs', source: `source${index}`, options: [...options] });
      }
    });
    const seen = FLAGS.map(([options], index) => {
      const mount = mountAt(lines, `/m/${index}`);
      expect(mount).toMatchObject({
        source: `source${index}`,
        root: '/',
        propagation: options.includes('shared') ? expect.stringMatching(/^shared:\d+$/) : '',
      });
      return [options, mount.options, mount.superOptions];
    });
    expect(seen).toEqual(FLAGS);
  });

  it('are flags of a bind mount, and with r… of the tree below it', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo', (config) => {
      config.mounts.push(
        { destination: '/tree', type: 'tmpfs', source: 'tree', options: ['nosuid', 'noatime'] },
        { destination: '/tree/below', type: 'tmpfs', source: 'below', options: ['nodev'] },
      );
      for (const [index, [options]] of BINDS.entries()) {
        config.mounts.push({ destination: `/b/${index}`, source: 'rootfs/tree', options: [...options] });
      }
    });
    const below = (index: number): string | undefined =>
      lines.some((line) => line.includes(` /b/${index}/below `)) ? mountAt(lines, `/b/${index}/below`).options : undefined;
    expect(BINDS.map(([options], index) => [options, mountAt(lines, `/b/${index}`).options, below(index)])).toEqual(BINDS);
    expect(mountAt(lines, '/tree').options).toBe('rw,nosuid,noatime');
    expect(mountAt(lines, '/tree/below').options).toBe('rw,nodev,relatime');
  });

  it('are the propagation of a mount, and with r… of the tree', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo', (config) => {
      config.mounts.push(
        { destination: '/tree', type: 'tmpfs', source: 'tree', options: ['shared'] },
        { destination: '/tree/below', type: 'tmpfs', source: 'below', options: ['shared'] },
        { destination: '/own', type: 'tmpfs', source: 'own', options: ['unbindable'] },
      );
      for (const [index, [options]] of PROPAGATIONS.entries()) {
        config.mounts.push({ destination: `/p/${index}`, source: 'rootfs/tree', options: [...options] });
      }
    });
    PROPAGATIONS.forEach(([options, mount, below], index) => {
      expect([options, mountAt(lines, `/p/${index}`).propagation]).toEqual([options, expect.stringMatching(mount)]);
      expect([options, mountAt(lines, `/p/${index}/below`).propagation]).toEqual([options, expect.stringMatching(below)]);
    });
    expect(mountAt(lines, '/own').propagation).toBe('unbindable');
  });

  it('are set where the mount is, though its path leads elsewhere once it is there', () => {
    const ways = { old: ['silent', 'shared'], new: ['shared'] };
    const { lines } = ground().sh(
      'cat /proc/self/mountinfo',
      (config) => {
        for (const [way, options] of Object.entries(ways)) {
          config.mounts.push({ destination: `/${way}/self`, type: 'tmpfs', source: way, options });
        }
      },
      {
        rootfs: (tree) => {
          for (const way of Object.keys(ways)) {
            mkdirSync(join(tree, way));
            // The link is hidden by what is mounted by way of it.
            symlinkSync('.', join(tree, way, 'self'));
          }
        },
      },
    );
    for (const way of Object.keys(ways)) {
      expect(mountAt(lines, `/${way}`)).toMatchObject({ source: way, propagation: expect.stringMatching(/^shared:\d+$/) });
    }
  });

  it('change what is mounted already, the file system or the mount alone', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo', (config) => {
      config.mounts.push(
        { destination: '/whole', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'nosuid'] },
        { destination: '/whole', options: ['remount', 'ro', 'size=128k'] },
        { destination: '/alone', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] },
        { destination: '/alone', options: ['bind', 'remount', 'ro', 'noexec'] },
        { destination: '/back', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'nosuid'] },
        { destination: '/back', options: ['remount', 'rw', 'noatime', 'suid'] },
      );
    });
    expect(mountAt(lines, '/whole')).toMatchObject({ options: 'ro,relatime', superOptions: 'ro,size=128k' });
    expect(mountAt(lines, '/alone')).toMatchObject({ options: 'ro,nosuid,noexec,relatime', superOptions: 'rw' });
    expect(mountAt(lines, '/back')).toMatchObject({ options: 'rw,noatime', superOptions: 'rw' });
  });
});
