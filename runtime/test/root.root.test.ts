import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Draft, type Ground, onBothEngines } from './ground.ts';
import { mountAt, parseMountInfo } from './mountinfo.ts';

const MOUNTS = ['/proc', '/dev', '/below'];

/** Few mounts, one of them below the root. */
function simple(config: Draft): void {
  config.mounts = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/below', type: 'tmpfs', source: 'tmpfs' },
  ];
  config.linux.maskedPaths = [];
  config.linux.readonlyPaths = [];
}

function withoutNamespace(config: Draft, type: string): void {
  config.linux.namespaces = config.linux.namespaces?.filter((namespace) => namespace.type !== type) ?? [];
}

/** Runs a shell script in a mount namespace whose mounts are shared, as on a host with systemd. */
function onSharedHost(ground: Ground, script: string): string[] {
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    ['-m', '--propagation', 'private', 'sh', '-ec', `mount --make-rshared /\n${script}`],
    {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', RUN: `${ground.command} --root ${ground.root}`, DIR: ground.directory },
    },
  );
  if (status !== 0) throw new Error(`${script}\n${stdout}${stderr}`);
  return stdout.split('\n').slice(0, -1);
}

onBothEngines('the root', (ground) => {
  it('is the whole of what the container sees of mounts', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo; ls /proc/1/root/', simple);
    expect(parseMountInfo(lines).map(({ point }) => point)).toEqual(['/', ...MOUNTS]);
    expect(mountAt(lines, '/').root).toContain('/rootfs');
    expect(lines.slice(4)).toEqual(['below', 'bin', 'dev', 'etc', 'proc', 'sys', 'tmp']);
  });

  it('can be read-only, and what is mounted below it not', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo; touch /file; touch /below/file; touch /dev/file', (config) => {
      simple(config);
      config.root = { path: 'rootfs', readonly: true };
    });
    expect(mountAt(lines, '/').options).toMatch(/^ro,/);
    for (const point of MOUNTS) expect(mountAt(lines, point).options).toMatch(/^rw,/);
    expect(lines.slice(4)).toEqual(['touch: /file: Read-only file system']);
  });

  it('can be named by an absolute path, and by one that goes through a link', () => {
    const link = join(ground().directory, 'link-to-root');
    const { lines } = ground().sh('ls /', (config) => (config.root = { path: link }), { rootfs: (path) => symlinkSync(path, link) });
    expect(lines).toContain('bin');
  });

  it.each([
    ['private', '', ''],
    ['rprivate', '', ''],
    ['slave', 'master', ''],
    ['rslave', 'master', ''],
    ['shared', 'shared', ''],
    ['rshared', 'shared', 'shared'],
    ['unbindable', 'unbindable', ''],
    ['runbindable', 'unbindable', 'unbindable'],
    [undefined, 'master', ''],
  ] as const)('has the propagation %s', (rootfsPropagation, root, below) => {
    const bundle = ground().bundle((config) => {
      simple(config);
      config.process.args = ['cat', '/proc/self/mountinfo'];
      if (rootfsPropagation !== undefined) config.linux.rootfsPropagation = rootfsPropagation;
    });
    const lines = onSharedHost(ground(), `cd ${bundle}; $RUN run c`);
    const seen = parseMountInfo(lines).map(({ point, propagation }) => [point, propagation.replace(/:.*/, '')]);
    // A slave of the host's root is what the root is a copy of.
    expect(seen).toEqual([['/', root], ...MOUNTS.map((point) => [point, below])]);
  });

  it.each([
    ['private', undefined, { received: false, given: false }],
    ['rslave', undefined, { received: true, given: false }],
    ['rshared', 'shared', { received: true, given: true }],
    ['rslave', 'shared', { received: true, given: false }],
  ] as const)('lets a volume with %s and the root %s receive and give mounts so', (option, rootfsPropagation, expected) => {
    const sync = join(ground().directory, `sync-${option}-${rootfsPropagation}`);
    mkdirSync(sync);
    const wait = 'while [ ! -e /sync/go ]; do sleep 0.05; done';
    const script = `mount -t tmpfs inner /vol/inner; touch /sync/ready; ${wait}; grep -c " /vol/outer " /proc/self/mountinfo`;
    const bundle = ground().bundle((config) => {
      simple(config);
      config.mounts.push({ destination: '/vol', source: join(sync, 'vol'), options: ['rbind', option] });
      config.mounts.push({ destination: '/sync', source: sync, options: ['bind', 'private'] });
      if (rootfsPropagation !== undefined) config.linux.rootfsPropagation = rootfsPropagation;
      const all = ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE'];
      config.process.capabilities = { bounding: all, effective: all, permitted: all };
      config.process.args = ['sh', '-c', script];
    });
    const lines = onSharedHost(
      ground(),
      `cd ${bundle}; V=${sync}/vol; mkdir $V; mount -t tmpfs vol $V; mkdir $V/inner $V/outer; $RUN create c >$DIR/out; $RUN start c
      while [ ! -e ${sync}/ready ]; do sleep 0.05; done
      mount -t tmpfs outer $V/outer; touch ${sync}/go; grep -c " $V/inner " /proc/self/mountinfo || true; ${ENDED}; $RUN delete c; cat $DIR/out`,
    );
    expect(lines).toEqual([expected.given ? '1' : '0', expected.received ? '1' : '0']);
  });

  it('can be shared although it lies, by way of a link, on a file system of its own', () => {
    const bundle = ground().bundle((config) => {
      simple(config);
      config.linux.rootfsPropagation = 'shared';
      config.root = { path: 'link' };
      config.process.args = ['cat', '/proc/self/mountinfo'];
    });
    const lines = onSharedHost(
      ground(),
      `cd ${bundle}; mkdir disk; mount -t tmpfs disk disk; cp -a rootfs disk/; ln -s disk/rootfs link; $RUN run c; umount disk; rm link`,
    );
    expect(mountAt(lines, '/')).toMatchObject({ type: 'tmpfs', root: '/rootfs', propagation: expect.stringMatching(/^shared:\d+$/) });
  });

  it('can be changed without pivot_root', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo; ls /; ls /proc/1/root | wc -l', simple, { flags: ['--no-pivot'] });
    expect(parseMountInfo(lines).map(({ point }) => point)).toEqual(['/', ...MOUNTS]);
    expect(lines.slice(4)).toEqual(['below', 'bin', 'dev', 'etc', 'proc', 'sys', 'tmp', '7']);
  });

  it('is changed by chroot in the mount namespace of the runtime', () => {
    const { lines } = ground().sh('ls /; readlink /ns/mnt', (config) => {
      simple(config);
      config.mounts = [];
      config.linux.devices = [];
      withoutNamespace(config, 'mount');
      config.process.args = ['/bin/sh', '-c', 'ls / /dev'];
    });
    expect(lines.slice(0, 8)).toEqual(['/:', 'bin', 'dev', 'etc', 'proc', 'sys', 'tmp', '']);
  });

  it('is entered in a mount namespace that is joined', () => {
    const holder = spawnSync(
      'unshare',
      ['-m', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs marked /mnt; exec sleep 1000 >/dev/null 2>&1 & echo $!'],
      {
        encoding: 'utf8',
      },
    );
    const pid = ground().adopt(Number(holder.stdout));
    const path = `/proc/${pid}/ns/mnt`;
    try {
      const { lines } = ground().sh('ls /; readlink /proc/self/ns/mnt; grep -c marked /proc/self/mountinfo', (config) => {
        simple(config);
        withoutNamespace(config, 'mount');
        config.linux.namespaces?.push({ type: 'mount', path });
      });
      expect(lines.slice(0, 7)).toEqual(['below', 'bin', 'dev', 'etc', 'proc', 'sys', 'tmp']);
      expect(lines[7]).toBe(spawnSync('readlink', [path], { encoding: 'utf8' }).stdout.trim());
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('must be a directory that is there', () => {
    expect(ground().refused((config) => (config.root = { path: 'nothing' }))).toMatch(
      /root\.path: .*bundle\d+\/nothing: no such file or directory/,
    );
    expect(ground().refused((config) => (config.root = { path: 'config.json' }))).toMatch(/root\.path: .*config\.json: not a directory/);
  });
});

const ENDED = 'while $RUN state c | grep -q \'"running"\'; do sleep 0.05; done';
