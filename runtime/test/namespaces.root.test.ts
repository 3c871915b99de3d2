import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import type { NamespaceType } from '../../specs/runtime/linux/namespaces.ts';
import { type Draft, onBothEngines, userNamespace } from './ground.ts';

/** Name in config.json and below /proc/PID/ns. */
const FILES = { cgroup: 'cgroup', ipc: 'ipc', mount: 'mnt', network: 'net', pid: 'pid', time: 'time', user: 'user', uts: 'uts' } as const;
const PRINT = 'for n in /proc/self/ns/*; do readlink $n; done';
const NAMES = readdirSync('/proc/self/ns').sort();

function ofProcess(pid: number | 'self'): Record<string, string> {
  return Object.fromEntries(Object.values(FILES).map((name) => [name, readlinkSync(`/proc/${pid}/ns/${name}`)]));
}

/** What the script printed, by name. */
function seen(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(NAMES.map((name, index) => [name, lines[index] ?? '']));
}

const only =
  (...types: readonly NamespaceType[]) =>
  (config: Draft): void => {
    config.linux.namespaces = types.map((type) => ({ type }));
    // A new sysfs needs a network namespace.
    config.mounts = config.mounts.filter(({ destination }) => !['/sys', '/dev/mqueue', '/sys/fs/cgroup'].includes(destination));
  };

/** Joins a namespace that already is, instead of making one. */
function joinAt(config: Draft, type: NamespaceType, path: string): void {
  config.linux.namespaces = [...(config.linux.namespaces?.filter((namespace) => namespace.type !== type) ?? []), { type, path }];
}

onBothEngines('namespaces', (ground) => {
  it('are made when they are listed, all of them', () => {
    const { lines } = ground().sh(PRINT, (config) => {
      userNamespace(config);
      config.linux.namespaces?.push({ type: 'time' });
    });
    const host = ofProcess('self');
    for (const name of Object.values(FILES)) expect([name, seen(lines)[name]]).not.toEqual([name, host[name]]);
    expect(seen(lines)['pid_for_children']).toBe(seen(lines)['pid']);
    expect(seen(lines)['time_for_children']).toBe(seen(lines)['time']);
  });

  it('are those of the runtime when they are not listed', () => {
    const { lines } = ground().sh(`${PRINT}; hostname; echo $$; ls /proc/self/ns | wc -l`, (config) => {
      only('mount')(config);
      delete config.hostname;
    });
    const host = ofProcess('self');
    expect(seen(lines)).toMatchObject({ ...host, mnt: expect.any(String), cgroup: host['cgroup'] });
    expect(seen(lines)['mnt']).not.toBe(host['mnt']);
    expect(lines[NAMES.length]).toBe(hostname());
    expect(Number(lines[NAMES.length + 1])).toBeGreaterThan(1);
  });

  it('are joined by path, each as what it is', () => {
    const pid = ground().holder('-m', '-u', '-i', '-n', '-C', '-T');
    const types = ['uts', 'ipc', 'network', 'cgroup', 'time'] as const;
    try {
      const { lines } = ground().sh(`${PRINT}; hostname`, (config) => {
        delete config.hostname;
        for (const type of types) joinAt(config, type, `/proc/${pid}/ns/${FILES[type]}`);
      });
      const held = ofProcess(pid);
      expect(types.map((type) => [type, seen(lines)[FILES[type]]])).toEqual(types.map((type) => [type, held[FILES[type]]]));
      expect(seen(lines)['pid']).not.toBe(held['pid']);
      expect(lines.at(-1)).toBe(hostname());
    } finally {
      ground().dismiss(pid);
    }
  });

  it('can be the pid namespace of another container, whose processes are then seen', () => {
    const first = ground().create((config) => (config.process.args = ['sleep', '1000']));
    ground().start(first);
    const { lines } = ground().sh(`${PRINT}; ps -o pid,comm; echo $$`, (config) => joinAt(config, 'pid', `/proc/${first.pid}/ns/pid`));
    expect(seen(lines)['pid']).toBe(ofProcess(first.pid)['pid']);
    expect(lines).toContain('    1 sleep');
    expect(Number(lines.at(-1))).toBeGreaterThan(1);
    ground().end(first);
  });

  it('can be a user namespace and namespaces that it owns', () => {
    const pid = ground().holder('-U', '-r', '-u', '-i', '-n');
    try {
      const { lines } = ground().sh(`${PRINT}; id -u; hostname joined && hostname; cat /proc/self/uid_map`, (config) => {
        withoutGids(config);
        delete config.hostname;
        config.process.capabilities = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] };
        for (const type of ['network', 'user', 'uts', 'ipc'] as const) joinAt(config, type, `/proc/${pid}/ns/${FILES[type]}`);
      });
      const { user, uts, ipc, net } = ofProcess(pid);
      expect(seen(lines)).toMatchObject({ user, uts, ipc, net });
      expect(lines.slice(NAMES.length)).toEqual(['0', 'joined', expect.stringMatching(/^ +0 +0 +1$/)]);
      expect(hostname()).not.toBe('joined');
    } finally {
      ground().dismiss(pid);
    }
  });

  it('can be a user namespace and namespaces that the host owns', () => {
    const user = ground().holder('-U', '-r');
    const others = ground().holder('-n', '-u');
    try {
      const { lines } = ground().sh(PRINT, (config) => {
        withoutGids(config);
        delete config.hostname;
        config.mounts = config.mounts.filter(({ destination }) => destination !== '/sys');
        joinAt(config, 'network', `/proc/${others}/ns/net`);
        joinAt(config, 'uts', `/proc/${others}/ns/uts`);
        joinAt(config, 'user', `/proc/${user}/ns/user`);
      });
      expect(seen(lines)).toMatchObject({ user: ofProcess(user)['user'], net: ofProcess(others)['net'], uts: ofProcess(others)['uts'] });
    } finally {
      ground().dismiss(user, others);
    }
  });

  it.each([
    ['network', '/proc/self/ns/uts'],
    ['uts', '/proc/self/ns/pid'],
    ['pid', '/proc/self/ns/user'],
    ['user', '/proc/self/ns/mnt'],
    ['mount', '/proc/self/ns/ipc'],
    ['ipc', '/proc/self/ns/time'],
    ['time', '/proc/self/ns/cgroup'],
    ['cgroup', '/proc/self/ns/net'],
    ['network', '/etc/passwd'],
  ] as const)('must be of their type: no %s namespace is at %s', (type, path) => {
    const change = (config: Draft): void => joinAt(config, type, path);
    expect(ground().refused(change)).toMatch(new RegExp(`linux\\.namespaces\\[\\d\\]\\.path: ${path} is not a ${type} namespace$`));
  });

  it('must be there', () => {
    const file = join(ground().directory, 'nothing');
    const message = ground().refused((config) => joinAt(config, 'network', file));
    expect(message).toMatch(/linux\.namespaces\[5\]\.path: join the network namespace: openat .*\/nothing: no such file or directory$/);
    writeFileSync(file, '');
    expect(ground().refused((config) => joinAt(config, 'pid', `/proc/${2 ** 22 + 1}/ns/pid`))).toContain('linux.namespaces[5].path');
  });

  it('must not be listed twice', () => {
    const message = ground().refused((config) => config.linux.namespaces?.push({ type: 'pid' }));
    expect(message).toContain('linux.namespaces[6].type');
  });

  it('have clocks of their own', () => {
    const before = uptime();
    const { lines } = ground().sh('cat /proc/self/timens_offsets /proc/uptime', (config) => {
      config.linux.namespaces?.push({ type: 'time' });
      config.linux.timeOffsets = { monotonic: { secs: -100, nanosecs: 5 }, boottime: { secs: 7_000_000, nanosecs: 999_999_999 } };
    });
    expect(lines.slice(0, 2).map((line) => line.split(/ +/))).toEqual([
      ['monotonic', '-100', '5'],
      ['boottime', '7000000', '999999999'],
    ]);
    const inside = Number(lines[2]?.split(' ')[0]);
    expect(inside - before).toBeGreaterThan(7_000_000);
    expect(inside - before).toBeLessThan(7_000_060);
  });

  it('have a loopback device that is up, when they are network namespaces', () => {
    const { lines } = ground().sh(
      'ip addr show lo; nc -l -p 7 127.0.0.1 < /dev/null & sleep 0.1; nc 127.0.0.1 7 < /dev/null && echo connected',
      (config) => {
        const set = ['CAP_NET_BIND_SERVICE'];
        config.process.capabilities = { bounding: set, effective: set, permitted: set };
      },
    );
    expect(lines[0]).toMatch(/<LOOPBACK,UP,LOWER_UP>/);
    expect(lines.join()).toContain('inet 127.0.0.1/8');
    expect(lines.at(-1)).toBe('connected');
  });

  it('have names of their own', () => {
    const { lines } = ground().sh('hostname; cat /proc/sys/kernel/domainname', (config) => {
      config.hostname = 'höst';
      config.domainname = 'domain.example';
    });
    expect(lines).toEqual(['höst', 'domain.example']);
  });
});

/** For user namespaces in which root alone is mapped. */
function withoutGids(config: Draft): void {
  for (const mount of config.mounts) if (mount.options !== undefined) mount.options = mount.options.filter((option) => option !== 'gid=5');
}
