import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onBothEngines } from './ground.ts';
import { mountAt, parseMountInfo } from './mountinfo.ts';

onBothEngines('mounts', (ground) => {
  it('are made in their order: the later covers the earlier', () => {
    const { lines } = ground().sh('grep /x /proc/self/mountinfo; ls -a /x /y', (config) => {
      config.mounts.push(
        { destination: '/x', type: 'tmpfs', source: 'first' },
        { destination: '/x/y', type: 'tmpfs', source: 'second' },
        { destination: '/x', type: 'tmpfs', source: 'third' },
        { destination: '/y', type: 'bind', source: 'rootfs/x', options: ['bind'] },
      );
    });
    expect(parseMountInfo(lines).map(({ point, source }) => [point, source])).toEqual([
      ['/x', 'first'],
      ['/x/y', 'second'],
      ['/x', 'third'],
    ]);
    expect(lines.slice(3)).toEqual(['/x:', '.', '..', '', '/y:', '.', '..']);
  });

  it('take files, directories, sockets and pipes from anywhere, relative paths from the bundle', () => {
    const outside = join(ground().directory, 'outside');
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, 'file'), 'text\n');
    let tree = '';
    const { lines, status } = ground().sh(
      'cat /in/a/b/c /in/dir/file /etc/relative; echo; stat -c "%n %F %a" /in/a/b /in/a/b/c /in/dir; echo more >> /in/a/b/c',
      (config) => {
        config.mounts.push(
          { destination: '/in/a/b/c', source: join(outside, 'file'), options: ['bind'] },
          { destination: '/in/dir', source: outside, options: ['rbind', 'ro'] },
          { destination: 'etc/relative', type: 'none', source: 'rootfs/../config.json', options: ['bind', 'ro'] },
        );
      },
      { rootfs: (path) => (tree = path) },
    );
    expect(lines.slice(0, 2)).toEqual(['text', 'text']);
    expect(lines.slice(-3)).toEqual(['/in/a/b directory 755', '/in/a/b/c regular file 644', '/in/dir directory 755']);
    expect(lines.slice(2, -3).join('\n')).toBe(readFileSync(join(tree, '../config.json'), 'utf8'));
    expect(status).toBe(0);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('text\nmore\n');
    expect(statSync(join(tree, 'in/a/b/c'))).toMatchObject({ size: 0, mode: 0o100755 });
    expect(statSync(join(tree, 'in/dir')).mode & 0o777).toBe(0o755);
  });

  it('go to targets behind links, which never lead out of the root', () => {
    let tree = '';
    const names = ['absolute', 'up', 'dangling', 'nested'];
    const { lines } = ground().sh(
      'cat /inside/f /up-target/f /new/place/f /run/systemd/resolve/stub.conf; echo; readlink /etc/resolv.conf',
      (config) => {
        config.mounts.push(
          { destination: '/run/systemd', type: 'tmpfs', source: 'tmpfs' },
          { destination: '/absolute/f', source: 'config.json', options: ['bind'] },
          { destination: '/up/f', source: 'config.json', options: ['bind'] },
          { destination: '/dangling/f', source: 'config.json', options: ['bind'] },
          { destination: '/etc/resolv.conf', source: 'config.json', options: ['bind'] },
        );
      },
      {
        rootfs: (path) => {
          tree = path;
          mkdirSync(join(path, 'inside'));
          symlinkSync('/inside', join(path, 'absolute'));
          symlinkSync('../../../../../../../../../../up-target', join(path, 'up'));
          symlinkSync('new/place', join(path, 'dangling'));
          symlinkSync('../run/systemd/resolve/stub.conf', join(path, 'etc/resolv.conf'));
        },
      },
    );
    const text = readFileSync(join(tree, '../config.json'), 'utf8');
    expect(lines.join('\n')).toBe(`${text}${text}${text}${text}\n../run/systemd/resolve/stub.conf`);
    expect(readdirSync(tree).sort()).toEqual([
      'absolute',
      'bin',
      'dangling',
      'dev',
      'etc',
      'inside',
      'new',
      'proc',
      'run',
      'sys',
      'tmp',
      'up',
      'up-target',
    ]);
    for (const name of names) expect(existsSync(`/${name}`)).toBe(false);
    expect(existsSync('/up-target')).toBe(false);
  });

  it('can be four hundred, and can have more data than 255 bytes', () => {
    const lower = Array.from({ length: 12 }, (_, index) => join(ground().directory, `lower, with a long näme ${index}`));
    for (const [index, path] of lower.entries()) {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, String(index)), '');
    }
    const directories = lower.map((path) => path.replaceAll(',', '\\,')).join(':');
    const { lines } = ground().sh('ls /overlay | wc -l; cat /proc/self/mountinfo', (config) => {
      config.mounts.push({
        destination: '/overlay',
        type: 'overlay',
        source: 'overlay',
        options: ['ro', 'nosuid', `lowerdir=${directories}`],
      });
      for (let index = 0; index < 400; index++)
        config.mounts.push({ destination: `/m/${index}`, type: 'tmpfs', source: 'tmpfs', options: ['size=4k'] });
    });
    expect(lines[0]).toBe('12');
    expect(mountAt(lines, '/overlay')).toMatchObject({ options: 'ro,nosuid,relatime', type: 'overlay' });
    expect(parseMountInfo(lines).filter(({ point }) => point.startsWith('/m/'))).toHaveLength(400);
  });

  it('can be of every type that containers use', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo; ls /dev/pts; grep -c . /sys/fs/cgroup/cgroup.procs; ls /sys/class/net');
    expect(
      parseMountInfo(lines)
        .slice(0, 8)
        .map(({ point, type, options }) => [point, type, options]),
    ).toEqual([
      ['/', expect.any(String), expect.stringMatching(/^rw,/)],
      ['/proc', 'proc', 'rw,relatime'],
      ['/dev', 'tmpfs', 'rw,nosuid'],
      ['/dev/pts', 'devpts', 'rw,nosuid,noexec,relatime'],
      ['/dev/shm', 'tmpfs', 'rw,nosuid,nodev,noexec,relatime'],
      ['/dev/mqueue', 'mqueue', 'rw,nosuid,nodev,noexec,relatime'],
      ['/sys', 'sysfs', 'ro,nosuid,nodev,noexec,relatime'],
      ['/sys/fs/cgroup', 'cgroup2', 'ro,nosuid,nodev,noexec,relatime'],
    ]);
    expect(mountAt(lines, '/dev/pts').superOptions).toBe('rw,gid=5,mode=620,ptmxmode=666');
    expect(mountAt(lines, '/sys/fs/cgroup').root).toBe('/');
    expect(lines.slice(-3)).toEqual(['ptmx', '2', 'lo']);
  });

  it('show the container its own cgroup, and no other, without a cgroup namespace', () => {
    const { lines } = ground().sh('grep -c . /sys/fs/cgroup/cgroup.procs; cat /proc/self/mountinfo', (config) => {
      config.linux.namespaces = config.linux.namespaces?.filter(({ type }) => type !== 'cgroup') ?? [];
    });
    // The shell and grep: whoever writes into a pipe could be there before its reader.
    expect(lines[0]).toBe('2');
    expect(mountAt(lines, '/sys/fs/cgroup')).toMatchObject({ type: 'cgroup2', options: 'ro,nosuid,nodev,noexec,relatime' });
  });
});
