import {
  MOUNT_EXTENSION_OPTIONS,
  MOUNT_FLAG_OPTIONS,
  MOUNT_PROPAGATION_OPTIONS,
  MOUNT_RECURSIVE_OPTIONS,
} from '../../../specs/runtime/mounts.ts';
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_DIRSYNC,
  MS_I_VERSION,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_PRIVATE,
  MS_RDONLY,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from '../linux/mount-flags.ts';
import { parseMountOptions } from './mount-options.ts';

describe('parseMountOptions', () => {
  it.each([
    ['ro', MOUNT_ATTR_RDONLY, 0],
    ['rw', 0, MOUNT_ATTR_RDONLY],
    ['nosuid', MOUNT_ATTR_NOSUID, 0],
    ['suid', 0, MOUNT_ATTR_NOSUID],
    ['nodev', MOUNT_ATTR_NODEV, 0],
    ['dev', 0, MOUNT_ATTR_NODEV],
    ['noexec', MOUNT_ATTR_NOEXEC, 0],
    ['exec', 0, MOUNT_ATTR_NOEXEC],
    ['nodiratime', MOUNT_ATTR_NODIRATIME, 0],
    ['diratime', 0, MOUNT_ATTR_NODIRATIME],
    ['nosymfollow', MOUNT_ATTR_NOSYMFOLLOW, 0],
    ['symfollow', 0, MOUNT_ATTR_NOSYMFOLLOW],
    ['noatime', MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME],
    ['atime', 0, MOUNT_ATTR__ATIME],
    ['relatime', 0, MOUNT_ATTR__ATIME],
    ['norelatime', 0, MOUNT_ATTR__ATIME],
    ['strictatime', MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME],
    ['nostrictatime', 0, MOUNT_ATTR__ATIME],
  ])('%s changes the attributes of the mount, and r%s those of the tree', (option, set, clear) => {
    expect(parseMountOptions([option]).attributes).toEqual({ set, clear });
    expect(parseMountOptions([option]).recursiveAttributes).toBeUndefined();
    expect(parseMountOptions([`r${option}`])).toMatchObject({
      attributes: { set: 0, clear: 0 },
      recursiveAttributes: { set, clear },
      data: [],
    });
  });

  it.each([
    ['sync', 'async', MS_SYNCHRONOUS],
    ['dirsync', undefined, MS_DIRSYNC],
    ['mand', 'nomand', MS_MANDLOCK],
    ['lazytime', 'nolazytime', MS_LAZYTIME],
    ['iversion', 'noiversion', MS_I_VERSION],
    ['silent', 'loud', MS_SILENT],
    ['ro', 'rw', MS_RDONLY],
  ])('%s sets a flag of the file system, %s takes it back', (on, off, flag) => {
    expect(parseMountOptions([on]).superFlags).toBe(flag);
    if (off !== undefined) expect(parseMountOptions([on, off]).superFlags).toBe(0);
  });

  it.each([
    ['shared', MS_SHARED],
    ['slave', MS_SLAVE],
    ['private', MS_PRIVATE],
    ['unbindable', MS_UNBINDABLE],
  ])('%s is a propagation of the mount, and r%s of the tree', (option, flag) => {
    expect(parseMountOptions([option]).propagations).toEqual([{ flag, recursive: false }]);
    expect(parseMountOptions([`r${option}`]).propagations).toEqual([{ flag, recursive: true }]);
  });

  it('keeps several propagations in their order: each is a call of its own', () => {
    expect(parseMountOptions(['rslave', 'shared']).propagations).toEqual([
      { flag: MS_SLAVE, recursive: true },
      { flag: MS_SHARED, recursive: false },
    ]);
  });

  it('lets the later of two options that contradict each other win', () => {
    expect(parseMountOptions(['ro', 'rw'])).toMatchObject({ attributes: { set: 0, clear: MOUNT_ATTR_RDONLY }, superFlags: 0 });
    expect(parseMountOptions(['noatime', 'strictatime']).attributes.set).toBe(MOUNT_ATTR_STRICTATIME);
    expect(parseMountOptions(['rbind', 'bind']).bind).toBe('one');
  });

  it('takes a bind mount for one exactly when bind or rbind is given', () => {
    expect(parseMountOptions([]).bind).toBe('no');
    expect(parseMountOptions(['bind']).bind).toBe('one');
    expect(parseMountOptions(['rbind']).bind).toBe('tree');
  });

  it('leaves what it does not know to the file system, in order', () => {
    expect(parseMountOptions(['mode=755', 'nosuid', 'size=64k', 'huge=always']).data).toEqual(['mode=755', 'size=64k', 'huge=always']);
    expect(parseMountOptions(['constructor', '__proto__', 'rtoString']).data).toEqual(['constructor', '__proto__', 'rtoString']);
  });

  it.each([...MOUNT_FLAG_OPTIONS, ...MOUNT_PROPAGATION_OPTIONS, ...MOUNT_RECURSIVE_OPTIONS, ...MOUNT_EXTENSION_OPTIONS])(
    'knows %s of the specification: it is never handed to a file system',
    (option) => {
      expect(parseMountOptions([option]).data).toEqual([]);
    },
  );
});
