import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Draft, onBothEngines, userNamespace } from './ground.ts';
import { mountAt } from './mountinfo.ts';

onBothEngines('a user namespace', (ground) => {
  it('maps ids in several ranges', () => {
    const uids = [
      { containerID: 0, hostID: 200_000, size: 10 },
      { containerID: 100, hostID: 300_000, size: 1 },
      { containerID: 1000, hostID: 0, size: 1 },
    ];
    const gids = [{ containerID: 0, hostID: 400_000, size: 4_000_000 }];
    const { lines } = ground().sh('cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id', (config) => {
      userNamespace(config);
      config.linux.uidMappings = uids;
      config.linux.gidMappings = gids;
      config.process.user = { uid: 100, gid: 3_000_000, additionalGids: [7, 8] };
    });
    const maps = lines.slice(0, 4).map((line) => line.trim().split(/ +/).map(Number));
    expect(maps).toEqual([...uids, ...gids].map(({ containerID, hostID, size }) => [containerID, hostID, size]));
    expect(lines.slice(4)).toEqual(['allow', 'uid=100 gid=3000000 groups=7,8']);
  });

  it('owns what its root makes, and what else there is of the container', () => {
    let tree = '';
    const { lines } = ground().sh(
      'touch /tmp/mine; stat -c %u:%g /tmp/mine /dev /proc/self/fd /dev/mqueue /dev/pts/ptmx; hostname changed && hostname; ip link set lo down && echo down; cat /proc/1/status | grep -E "^(Uid|Gid)"',
      (config) => {
        userNamespace(config);
        const set = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_DAC_OVERRIDE'];
        config.process.capabilities = { bounding: set, effective: set, permitted: set };
      },
      {
        rootfs: (path) => {
          tree = path;
          chownSync(join(path, 'tmp'), 100_000, 100_000);
        },
      },
    );
    expect(lines).toEqual(['0:0', '0:0', '0:0', '0:0', '0:0', 'changed', 'down', 'Uid:\t0\t0\t0\t0', 'Gid:\t0\t0\t0\t0']);
    expect(statSync(join(tree, 'tmp/mine'))).toMatchObject({ uid: 100_000, gid: 100_000 });
  });

  it('can have bind mounts of files that its root may not reach on the host', () => {
    const secret = join(ground().directory, 'private/file');
    mkdirSync(join(secret, '..'), { mode: 0o700 });
    const change = (config: Draft): void => {
      userNamespace(config);
      config.mounts.push({ destination: '/in/file', source: secret, options: ['bind', 'ro'] });
    };
    writeFileSync(secret, 'seen', { mode: 0o644 });
    const { lines } = ground().sh('cat /in/file; echo; cat /proc/self/mountinfo', change, {
      rootfs: (path) => chownSync(path, 100_000, 100_000),
    });
    expect(lines[0]).toBe('seen');
    expect(mountAt(lines, '/in/file').options).toBe('ro,relatime');
  });

  it('has the pid namespace of the host without being able to see the rest of the host', () => {
    const { lines } = ground().sh('cat /proc/self/mountinfo; cat /proc/1/environ', (config) => {
      userNamespace(config);
      config.linux.namespaces = config.linux.namespaces?.filter(({ type }) => type !== 'pid') ?? [];
      config.mounts = config.mounts.map((mount) =>
        mount.destination === '/proc' ? { ...mount, type: 'none', source: '/proc', options: ['rbind'] } : mount,
      );
    });
    expect(mountAt(lines, '/proc').type).toBe('proc');
    expect(lines.at(-1)).toMatch(/^cat: .*Permission denied$/);
  });

  it('must map the root of the container and the user of the process', () => {
    const change = (config: Draft): void => {
      userNamespace(config);
      config.process.user = { uid: 70_000, gid: 70_001 };
    };
    expect(ground().refused(change)).toMatch(/process\.user\.uid = 70000: .*process\.user\.gid = 70001: /s);
  });
});
