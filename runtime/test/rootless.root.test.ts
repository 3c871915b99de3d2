import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig } from '../src/spec/default-config.ts';
import { type Draft, type Ground, onBothEngines } from './ground.ts';

/** A user that is nobody else on the host. */
const USER = { uid: 54_321, gid: 54_322 };
const RANGES = [
  { containerID: 0, size: 1 },
  { containerID: 1, size: 100 },
  { containerID: 1000, size: 50 },
];

/** The configuration of `tsrun spec --rootless`, in a root that can be written. */
function rootless(config: Draft): void {
  const fresh = structuredClone(defaultConfig({ rootless: USER })) as Draft;
  Object.assign(config, fresh, { root: { path: 'rootfs' } });
  config.process = { ...fresh.process, terminal: false, args: config.process.args ?? [], env: ['PATH=/bin'] };
}

function mapped(config: Draft): void {
  rootless(config);
  config.linux.uidMappings = RANGES.map((range, index) => ({ ...range, hostID: [USER.uid, 700_000, 700_100][index] ?? 0 }));
  config.linux.gidMappings = RANGES.map((range, index) => ({ ...range, hostID: [USER.gid, 800_000, 800_100][index] ?? 0 }));
}

/** The files of shadow-utils, for a mount namespace of the test's own: the host's stay as they are. */
function accounts(directory: string, prepare: string): string {
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return `mount --bind ${join(directory, name)} /etc/${name}`;
  };
  return [
    file('passwd', `${readFileSync('/etc/passwd', 'utf8')}rootless:x:${USER.uid}:${USER.gid}::/:/bin/sh\n`),
    file('subuid', 'rootless:700000:1000\n'),
    file('subgid', 'rootless:800000:1000\n'),
    prepare,
  ].join('\n');
}

function asUser(ground: Ground, change: (config: Draft) => void, prepare = 'true'): { lines: string[]; stderr: string } {
  const bundle = ground.bundle(change);
  const run = `exec setpriv --reuid ${USER.uid} --regid ${USER.gid} --clear-groups ${ground.command} --root ${ground.root} run -b ${bundle} c`;
  const script = `mount --make-rprivate /\n${accounts(ground.directory, prepare)}\n${run}`;
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-ec', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '' },
  });
  return { lines: stdout.split('\n').slice(0, -1), stderr };
}

onBothEngines('a user who is not root', (ground) => {
  beforeEach(() => {
    mkdirSync(ground().root, { mode: 0o700, recursive: true });
    chownSync(ground().root, USER.uid, USER.gid);
  });

  it('runs containers with the own id alone, in which setgroups is denied', () => {
    const script =
      'id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; touch /file; echo $$; ls /dev; cat /proc/self/cgroup; hostname';
    const { lines, status } = ground().sh(
      script,
      (config) => {
        const { args } = config.process;
        rootless(config);
        config.process.args = args ?? [];
      },
      { user: USER, rootfs: (path) => chownSync(path, USER.uid, USER.gid) },
    );
    expect({ status, lines: lines.slice(0, 5).map((line) => line.trim().replace(/ +/g, ' ')) }).toEqual({
      status: 0,
      lines: [expect.stringMatching(/^uid=0 gid=0/), `0 ${USER.uid} 1`, `0 ${USER.gid} 1`, 'deny', '1'],
    });
    expect(lines).toContain('null');
    expect(lines.at(-1)).toBe('tsrun');
  });

  it('goes through create, start, state, kill and delete', () => {
    const container = ground().create(
      (config) => {
        rootless(config);
        config.process.args = ['sleep', '1000'];
      },
      { user: USER },
    );
    ground().start(container, { user: USER });
    expect(ground().tsrun(['state', container.id], { user: USER })).toMatchObject({ status: 0 });
    expect(ground().tsrun(['kill', container.id, 'KILL'], { user: USER })).toMatchObject({ status: 0 });
    expect(ground().end(container, { user: USER })).toBe(137);
  });

  it('runs containers with ranges of ids, by newuidmap and newgidmap', () => {
    const { lines, stderr } = asUser(ground(), (config) => {
      mapped(config);
      config.process.user = { uid: 1020, gid: 7, additionalGids: [1001, 50] };
      config.process.args = ['sh', '-c', 'id -u; id -G; cat /proc/self/uid_map /proc/self/gid_map'];
    });
    expect(stderr).toBe('');
    expect(lines.map((line) => line.trim().replace(/ +/g, ' '))).toEqual([
      '1020',
      '7 50 1001',
      `0 ${USER.uid} 1`,
      '1 700000 100',
      '1000 700100 50',
      `0 ${USER.gid} 1`,
      '1 800000 100',
      '1000 800100 50',
    ]);
  });

  it('is told which tool is missing, and which range is not theirs', () => {
    const missing = asUser(ground(), mapped, 'mount --bind /etc/subuid /usr/bin/newuidmap; mount --bind /etc/subuid /usr/bin/newgidmap');
    expect(missing.stderr).toContain("linux.gidMappings: newgidmap is needed to map more than one's own id, and is not installed");
    const foreign = asUser(ground(), (config) => {
      mapped(config);
      config.linux.uidMappings?.push({ containerID: 5000, hostID: 1, size: 1 });
    });
    expect(foreign.stderr).toMatch(/linux\.uidMappings: \S*newuidmap \d+ 0 54321 1 1 700000 100 1000 700100 50 5000 1 1 failed/);
  });

  it('cannot have additional groups without newgidmap', () => {
    const change = (config: Draft): void => {
      rootless(config);
      config.process.user = { uid: 0, gid: 0, additionalGids: [0] };
      config.process.args = ['true'];
    };
    expect(ground().refused(change, { user: USER })).toContain('process.user.additionalGids: ');
  });

  it('cannot read the state of root, and is told so', () => {
    chownSync(ground().root, 0, 0);
    const { status, stderr } = ground().tsrun(['state', 'x'], { user: USER });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('permission denied') });
  });
});
