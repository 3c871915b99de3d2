import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Draft, onBothEngines, userNamespace } from './ground.ts';
import { mountAt, parseMountInfo } from './mountinfo.ts';

const DEFAULTS = ['null 1:3', 'zero 1:5', 'full 1:7', 'random 1:8', 'urandom 1:9', 'tty 5:0'];
/** name, type, permissions, owner, numbers in hexadecimal */
const STAT = 'stat -c "%n %F %a %u:%g %t:%T"';

function withoutDev(config: Draft): void {
  config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
}

function mknod(path: string, ...words: string[]): void {
  spawnSync('mknod', [path, ...words]);
}

onBothEngines('devices', (ground) => {
  it('are the default ones, with the links that programs expect', () => {
    const { lines } = ground().sh(
      `cd /dev; ${STAT} null zero full random urandom tty; for link in ptmx fd stdin stdout stderr core; do readlink $link; done; ls; echo > null; head -c 2 zero | wc -c`,
    );
    const kcore = existsSync('/proc/kcore');
    const nodes = DEFAULTS.map((name) => `${name.split(' ')[0]} character special file 666 0:0 ${name.split(' ')[1]}`);
    const links = ['pts/ptmx', '/proc/self/fd', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/self/fd/2', ...(kcore ? ['/proc/kcore'] : [])];
    const names = [
      ...(kcore ? ['core'] : []),
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ];
    expect(lines).toEqual([...nodes, ...links, ...names, '2']);
  });

  it('can be added, of every type, anywhere, with mode and owner, and can replace a default one', () => {
    const { lines } = ground().sh(
      `${STAT} /dev/a/b/char /dev/block /nodes/pipe /dev/unbuffered /dev/plain /dev/null /dev/large; ls /dev/a`,
      (config) => {
        config.linux.devices = [
          { path: '/dev/a/b/char', type: 'c', major: 10, minor: 229, fileMode: 0o600, uid: 1, gid: 2 },
          { path: '/dev/block', type: 'b', major: 7, minor: 3, fileMode: 0o4751 },
          { path: '/nodes/pipe', type: 'p', fileMode: 0o640, uid: 5, gid: 6 },
          { path: '/dev/unbuffered', type: 'u', major: 10, minor: 200 },
          { path: '/dev/plain', type: 'c', major: 1, minor: 11, fileMode: 0o20000 | 0o604 },
          { path: '/dev//./null', type: 'c', major: 1, minor: 3, fileMode: 0o640, gid: 9 },
          { path: '/dev/large', type: 'b', major: 4095, minor: 0xfffff },
        ];
      },
    );
    expect(lines).toEqual([
      '/dev/a/b/char character special file 600 1:2 a:e5',
      '/dev/block block special file 4751 0:0 7:3',
      '/nodes/pipe fifo 640 5:6 0:0',
      '/dev/unbuffered character special file 666 0:0 a:c8',
      '/dev/plain character special file 604 0:0 1:b',
      '/dev/null character special file 640 0:9 1:3',
      '/dev/large block special file 666 0:0 fff:fffff',
      'b',
    ]);
  });

  it('of the image stay when they are right, and so do links but for ptmx', () => {
    const { lines } = ground().sh(`cd /dev; ${STAT} null zero; readlink ptmx; readlink stdin; ls`, withoutDev, {
      rootfs: (path) => {
        mknod(join(path, 'dev/null'), '-m', '600', 'c', '1', '3');
        symlinkSync('elsewhere', join(path, 'dev/stdin'));
        symlinkSync('elsewhere', join(path, 'dev/ptmx'));
      },
    });
    expect(lines.slice(0, 4)).toEqual([
      'null character special file 600 0:0 1:3',
      'zero character special file 666 0:0 1:5',
      'pts/ptmx',
      'elsewhere',
    ]);
  });

  it.each([
    [
      'other numbers',
      'mine',
      (path: string) => mknod(path, 'c', '1', '5'),
      'linux.devices[0]: device /dev/mine: what is already there is not c 1:3',
    ],
    [
      'another type',
      'mine',
      (path: string) => mknod(path, 'b', '1', '3'),
      'linux.devices[0]: device /dev/mine: what is already there is not c 1:3',
    ],
    ['a file', 'mine', (path: string) => writeFileSync(path, ''), 'linux.devices[0]: device /dev/mine: what is already there is not c 1:3'],
    [
      'a link',
      'mine',
      (path: string) => symlinkSync('null', path),
      'linux.devices[0]: device /dev/mine: what is already there is not c 1:3',
    ],
    ['a directory', 'zero', (path: string) => mkdirSync(path), 'device /dev/zero: what is already there is not c 1:5'],
  ])('of the image must not be %s', (_, name, make, message) => {
    const change = (config: Draft): void => {
      withoutDev(config);
      config.linux.devices = [{ path: '/dev/mine', type: 'c', major: 1, minor: 3 }];
    };
    expect(ground().refused(change, { rootfs: (path) => make(join(path, 'dev', name)) })).toContain(message);
  });

  it('are those of the host in a user namespace', () => {
    const { lines } = ground().sh(
      `cat /proc/self/mountinfo; ${STAT} /dev/null /dev/zero /dev/pipe; echo x > /dev/null && readlink /dev/ptmx; readlink /dev/fd`,
      (config) => {
        userNamespace(config);
        config.linux.devices = [{ path: '/dev/pipe', type: 'p', fileMode: 0o600, uid: 1, gid: 2 }];
      },
    );
    const bound = parseMountInfo(lines).filter(({ type, point }) => type === 'devtmpfs' && point.startsWith('/dev/'));
    expect(bound.map(({ point, root }) => `${point} ${root}`)).toEqual(
      DEFAULTS.map((name) => `/dev/${name.split(' ')[0]} /${name.split(' ')[0]}`),
    );
    expect(lines).toContain('/dev/null character special file 666 65534:65534 1:3');
    expect(lines).toContain('/dev/pipe fifo 600 1:2 0:0');
    expect(lines.slice(-2)).toEqual(['pts/ptmx', '/proc/self/fd']);
  });

  it('must be there on the host, and be the right ones, in a user namespace', () => {
    const device = (path: string, major: number, minor: number) => (config: Draft) => {
      userNamespace(config);
      config.linux.devices = [{ path, type: 'c', major, minor }];
    };
    expect(ground().refused(device('/dev/of-nobody', 1, 3))).toMatch(/linux\.devices\[0\]: .*\/dev\/of-nobody: no such file or directory/);
    expect(ground().refused(device('/dev/null', 1, 5))).toContain("linux.devices[0]: device /dev/null: the host's is not c 1:5");
  });

  it('are not made in a /dev that is bind-mounted', () => {
    const dev = mkdtempSync(join(ground().directory, 'dev-'));
    const { lines } = ground().sh('ls -a /dev', (config) => {
      withoutDev(config);
      config.mounts.push({ destination: '/dev/', source: dev, options: ['rbind', 'rw'] });
      config.linux.devices = [{ path: '/dev/extra', type: 'c', major: 1, minor: 3 }];
    });
    expect(lines).toEqual(['.', '..']);
    expect(readdirSync(dev)).toEqual([]);
    rmSync(dev, { recursive: true });
  });

  it('are there in a /dev that is read-only', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo; touch /dev/new; ls /dev/null; echo > /dev/null', (config) => {
      const dev = config.mounts.find(({ destination }) => destination === '/dev');
      if (dev !== undefined) dev.options = ['nosuid', 'ro', 'mode=755'];
    });
    expect(mountAt(lines, '/dev').options).toBe('ro,nosuid,relatime');
    expect(lines.slice(-2)).toEqual(['touch: /dev/new: Read-only file system', '/dev/null']);
  });
});
