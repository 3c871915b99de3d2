import { loadConfig } from '../spec/load.ts';
import type { HostFacts } from './host-facts.ts';
import { type Plan, planContainer } from './plan.ts';
import type { Step } from './steps.ts';

const HOST: HostFacts = {
  bundle: '/bundle',
  euid: 0,
  inUserNamespace: false,
  permittedCapabilities: (1n << 41n) - 1n,
  lastCapability: 40,
  cgroupDirectory: '/sys/fs/cgroup/x',
  apparmor: false,
  selinux: false,
  kcore: false,
};

const ALL_NAMESPACES = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type }));

interface Overrides {
  readonly process?: object;
  readonly linux?: object;
  readonly config?: object;
  readonly host?: Partial<HostFacts>;
  readonly noPivot?: boolean;
}

function plan(overrides: Overrides = {}): Plan {
  const config = {
    ociVersion: '1.3.0',
    process: { cwd: '/', args: ['sh'], user: { uid: 0, gid: 0 }, env: ['PATH=/bin'], ...overrides.process },
    root: { path: 'rootfs' },
    linux: { namespaces: ALL_NAMESPACES, ...overrides.linux },
    ...overrides.config,
  };
  const loaded = loadConfig(JSON.stringify(config)).config;
  return planContainer(loaded, { ...HOST, ...overrides.host }, { id: 'c', noPivot: overrides.noPivot === true, noNewKeyring: false });
}

/** One word for each step, with what tells it from others of its kind. */
function outline(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    if ('destination' in step) return `${step.kind} ${step.destination}`;
    if ('path' in step) return `${step.kind} ${step.path}`;
    return step.kind;
  });
}

const USER_NAMESPACE = {
  namespaces: [...ALL_NAMESPACES, { type: 'user' }],
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
};

describe('planContainer', () => {
  it('prepares, enters and becomes in the order of the specification', () => {
    const result = plan({
      process: { cwd: '/srv', terminal: true, noNewPrivileges: true },
      linux: { maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'], sysctl: { 'net.ipv4.ip_forward': '1' } },
      config: {
        hostname: 'box',
        root: { path: 'rootfs', readonly: true },
        mounts: [
          { destination: '/proc', type: 'proc', source: 'proc' },
          { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] },
          { destination: '/data', source: 'data', options: ['rbind', 'ro'] },
        ],
      },
    });
    expect(outline(result.prepare)).toEqual([
      'unshare',
      'session',
      'keyring',
      'loopback',
      'root /bundle/rootfs',
      'mount /proc',
      'mount /dev',
      'bind /data',
      'device /dev/null',
      'device /dev/zero',
      'device /dev/full',
      'device /dev/random',
      'device /dev/urandom',
      'device /dev/tty',
      'symlink /dev/ptmx',
      'symlink /dev/fd',
      'symlink /dev/stdin',
      'symlink /dev/stdout',
      'symlink /dev/stderr',
    ]);
    expect(outline(result.enter)).toEqual([
      'hostname',
      'console',
      'directory /srv',
      'sysctl',
      'readonly /proc/sys',
      'mask /proc/kcore',
      'readonly-root',
      'pivot',
    ]);
    expect(outline(result.become)).toEqual(['identity']);
    expect(result.prepare).toContainEqual(expect.objectContaining({ kind: 'bind', source: '/bundle/data', configPath: 'mounts[2]' }));
  });

  it('makes the cgroup namespace in init, which is in its cgroup by then', () => {
    expect(plan().namespaces.late).toEqual(['cgroup']);
  });

  it('lets the root of a user namespace own its IPC namespace, and be root before it mounts', () => {
    const result = plan({ linux: USER_NAMESPACE });
    expect(result.namespaces.late).toEqual(['ipc', 'cgroup']);
    expect(outline(result.prepare).slice(0, 2)).toEqual(['become-root', 'unshare']);
  });

  it('binds device nodes in a user namespace, where they cannot be made', () => {
    const devices = plan({ linux: USER_NAMESPACE }).prepare.filter((step) => step.kind === 'device');
    expect(devices).toHaveLength(6);
    expect(devices.every((device) => device.bind)).toBe(true);
    expect(
      plan()
        .prepare.filter((step) => step.kind === 'device')
        .some((device) => device.bind),
    ).toBe(false);
  });

  it('takes a configured device in place of the default one', () => {
    const devices = [{ type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600, uid: 5, gid: 6 }];
    const step = plan({ linux: { devices } }).prepare.filter((one) => one.kind === 'device' && one.path === '/dev/null');
    expect(step).toEqual([expect.objectContaining({ mode: 0o600, uid: 5, gid: 6, configPath: 'linux.devices[0]' })]);
  });

  it('leaves a bind-mounted /dev as it is', () => {
    const result = plan({ config: { mounts: [{ destination: '/dev', source: '/dev', options: ['rbind'] }] } });
    expect(outline(result.prepare).filter((line) => line.startsWith('device') || line.startsWith('symlink'))).toEqual([]);
  });

  it('makes a read-only /dev read-only after its devices are there', () => {
    const mounts = [{ destination: '/dev', type: 'tmpfs', options: ['ro', 'nosuid'] }];
    const result = plan({ config: { mounts } });
    expect(result.prepare).toContainEqual(expect.objectContaining({ kind: 'mount', attributes: { set: 2, clear: 0 }, superFlags: 0 }));
    expect(result.enter).toContainEqual(expect.objectContaining({ kind: 'remount', destination: '/dev', mountOnly: true }));
  });

  it('binds the cgroup instead of mounting a hierarchy without a cgroup namespace, read-only in a user namespace (CVE-2023-25809)', () => {
    const mounts = [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw'] }];
    const namespaces = [{ type: 'mount' }, { type: 'pid' }];
    const find = (result: Plan) => result.prepare.find((step) => 'destination' in step && step.destination === '/sys/fs/cgroup');
    expect(find(plan({ config: { mounts } }))).toMatchObject({ kind: 'mount', type: 'cgroup2' });
    expect(find(plan({ config: { mounts }, linux: { namespaces } }))).toMatchObject({ kind: 'bind', attributes: { set: 0 } });
    const user = { ...USER_NAMESPACE, namespaces: [...namespaces, { type: 'user' }] };
    expect(find(plan({ config: { mounts }, linux: user }))).toMatchObject({ kind: 'bind', attributes: { set: 1, clear: 0 } });
  });

  it.each([
    ['/proc/self/attr', 'bind'],
    ['/proc/1', 'bind'],
    ['/proc/../proc/self', 'bind'],
    ['//proc//sys', 'bind'],
  ])('refuses a mount on %s: it could fake what security modules read (CVE-2019-16884)', (destination) => {
    const mounts = [{ destination, source: '/x', options: ['bind'] }];
    expect(() => plan({ config: { mounts } })).toThrow('inside /proc');
  });

  it('allows the files of /proc that lxcfs replaces', () => {
    const mounts = [{ destination: '/proc/meminfo', source: '/x', options: ['bind'] }];
    expect(outline(plan({ config: { mounts } }).prepare)).toContain('bind /proc/meminfo');
  });

  it('takes nothing but procfs on /proc', () => {
    expect(() => plan({ config: { mounts: [{ destination: '/proc', type: 'tmpfs' }] } })).toThrow('must be of type proc');
  });

  it('keeps commas inside quotes together', () => {
    const mounts = [{ destination: '/a', type: 'tmpfs', options: ['size=1k,mode=700', 'context="a,b"'] }];
    const step = plan({ config: { mounts } }).prepare.find((one) => one.kind === 'mount');
    expect(step).toMatchObject({ data: ['size=1k', 'mode=700', 'context="a,b"'] });
  });

  it('leaves out capabilities that the runtime cannot give, with a warning', () => {
    const capabilities = { bounding: ['CAP_KILL', 'CAP_SYS_RESOURCE'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] };
    const host = { permittedCapabilities: ((1n << 41n) - 1n) & ~(1n << 24n) };
    const result = plan({ process: { capabilities }, host });
    expect(result.become).toContainEqual(
      expect.objectContaining({
        capabilities: expect.objectContaining({ bounding: 1n << 5n, permitted: 1n << 5n, inheritable: 0n, ambient: 0n }),
      }),
    );
    expect(result.warnings).toEqual([expect.stringContaining('CAP_SYS_RESOURCE')]);
  });

  it('grants every capability in a new user namespace', () => {
    const capabilities = { bounding: ['CAP_SYS_RESOURCE'] };
    expect(plan({ process: { capabilities }, linux: USER_NAMESPACE, host: { permittedCapabilities: 0n } }).warnings).toEqual([]);
  });

  it('sets the limit of descriptors last, all others before the user changes', () => {
    const rlimits = [
      { type: 'RLIMIT_NOFILE', soft: 3, hard: 3 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 5 },
    ];
    const process = { rlimits };
    const result = plan({ process });
    expect(result.execute.descriptorLimit).toMatchObject({ resource: 7, soft: 3n, hard: 3n });
    expect(outline(result.become)).toEqual(['rlimit', 'identity']);
  });

  it('takes the last of several definitions of a variable', () => {
    expect(plan({ process: { env: ['A=1', 'B=2', 'A=3'] } }).execute.env).toEqual(['A=3', 'B=2']);
  });

  it.each([
    [undefined, 'mount', 'pivot'],
    [true, 'mount', 'move'],
    [undefined, undefined, 'chroot'],
  ] as const)('enters the root (no-pivot %s, %s namespace) by %s', (noPivot, namespace, method) => {
    const namespaces = namespace === undefined ? [{ type: 'pid' }] : ALL_NAMESPACES;
    const result = plan({ linux: { namespaces }, ...(noPivot === undefined ? {} : { noPivot }) });
    expect(result.enter.at(-1)).toMatchObject({ kind: 'pivot', method });
  });

  it('refuses labels that no module of this kernel would take', () => {
    expect(() => plan({ process: { apparmorProfile: 'x' } })).toThrow(expect.objectContaining({ configPath: 'process.apparmorProfile' }));
    expect(() => plan({ process: { selinuxLabel: 'x' } })).toThrow(expect.objectContaining({ configPath: 'process.selinuxLabel' }));
    expect(outline(plan({ process: { apparmorProfile: 'x' }, host: { apparmor: true } }).become)).toEqual(['label', 'identity']);
  });
});
