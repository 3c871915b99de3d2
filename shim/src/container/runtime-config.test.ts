import { containerPlaces, placesAt } from './places.ts';
import type { ContainerRecord, HostConfig } from './record.ts';
import { execProcess, type RuntimeFacts, runtimeConfig } from './runtime-config.ts';
import { HOST, recordOf } from './test/record.ts';

const root = { uid: 0, gid: 0, additionalGids: [], home: '/root' } as unknown as RuntimeFacts['user'];
const web = { uid: 33, gid: 33, additionalGids: [5], home: '/www' } as unknown as RuntimeFacts['user'];

const facts: RuntimeFacts = {
  rootfs: '/merged',
  user: root,
  devices: [],
  pidOf: () => 4242,
  architecture: 'x64',
  places: containerPlaces(placesAt('/data'), 'f'.repeat(64)),
  hasUnifiedCgroups: true,
  isNamespaced: false,
  hasMessageQueues: true,
  sharedMemory: undefined,
  initProgram: undefined,
};

function configOf(host: Partial<HostConfig>, run: Partial<ContainerRecord['Config']> = {}, more: Partial<RuntimeFacts> = {}) {
  const record = recordOf();
  return runtimeConfig({ ...record, HostConfig: { ...HOST, ...host }, Config: { ...record.Config, ...run } }, { ...facts, ...more });
}

const mountOf = (config: ReturnType<typeof configOf>, place: string) => config.mounts?.find(({ destination }) => destination === place);
const kinds = (config: ReturnType<typeof configOf>) => config.linux?.namespaces?.map(({ type, path }) => `${type}${path ?? ''}`);

describe('runtimeConfig', () => {
  it('has the root of a user namespace mount anew only what belongs to the namespace, and limit nothing', () => {
    const own = configOf({ Memory: 1 << 20 }, {}, { isNamespaced: true });
    expect(['/proc', '/sys', '/dev/mqueue'].map((place) => mountOf(own, place)?.type)).toEqual(['proc', 'sysfs', 'mqueue']);
    expect([own.linux?.resources, own.linux?.cgroupsPath]).toEqual([undefined, undefined]);
    const hosts = { NetworkMode: 'host', PidMode: 'host', IpcMode: 'host' };
    const shared = configOf(hosts, {}, { isNamespaced: true });
    expect(['/proc', '/sys', '/dev/mqueue'].map((place) => mountOf(shared, place)?.source)).toEqual(['/proc', '/sys', '/dev/mqueue']);
    expect(mountOf(shared, '/sys')?.options).toContain('ro');
    expect(mountOf(configOf(hosts, {}, { isNamespaced: true, hasMessageQueues: false }), '/dev/mqueue')).toBeUndefined();
    expect(mountOf(configOf(hosts), '/sys')?.type).toBe('sysfs');
  });

  it('runs the entrypoint with the command, with what docker adds to the environment', () => {
    const { process } = configOf({}, { Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo'], Env: ['A=1', 'B'], Tty: true });
    expect(process?.args).toEqual(['/bin/sh', '-c', 'echo']);
    expect(process?.env).toEqual([expect.stringMatching(/^PATH=/), 'HOSTNAME=ffffffffffff', 'TERM=xterm', 'A=1', 'B=', 'HOME=/root']);
    expect(process).toMatchObject({ terminal: true, cwd: '/', noNewPrivileges: false });
  });

  it('gives capabilities to root, and to others the bounding set only', () => {
    const own = configOf({ CapDrop: ['ALL'], CapAdd: ['net_admin'] }).process?.capabilities;
    expect(own).toEqual({ bounding: ['CAP_NET_ADMIN'], effective: ['CAP_NET_ADMIN'], permitted: ['CAP_NET_ADMIN'] });
    const others = configOf({}, {}, { user: web }).process;
    expect(others?.capabilities?.effective).toEqual([]);
    expect(others?.capabilities?.bounding).toContain('CAP_NET_BIND_SERVICE');
    expect(others?.user).toMatchObject({ uid: 33, gid: 33, additionalGids: [5] });
  });

  it('has namespaces of its own, those of another, or the host’s', () => {
    expect(kinds(configOf({}))).toEqual(['mount', 'network', 'uts', 'ipc', 'pid', 'cgroup']);
    expect(kinds(configOf({ NetworkMode: 'host', PidMode: 'host', IpcMode: 'host' }))).toEqual(['mount', 'cgroup']);
    expect(kinds(configOf({ NetworkMode: 'container:x' }))).toEqual([
      'mount',
      'network/proc/4242/ns/net',
      'uts/proc/4242/ns/uts',
      'ipc',
      'pid',
      'cgroup',
    ]);
  });

  it('takes all that guards it away from a privileged container, and nothing from others', () => {
    const plain = configOf({}).linux;
    expect(plain?.maskedPaths?.length).toBeGreaterThan(0);
    expect(plain?.seccomp?.defaultAction).toBe('SCMP_ACT_ERRNO');
    expect(plain?.resources?.devices).toEqual([{ allow: false, access: 'rwm' }]);
    const privileged = configOf({ Privileged: true }).linux;
    expect(privileged?.maskedPaths).toBeUndefined();
    expect(privileged?.seccomp).toBeUndefined();
    expect(privileged?.resources?.devices).toEqual([{ allow: true, access: 'rwm' }]);
  });

  it('turns limits into those of the runtime', () => {
    const { linux, process } = configOf({
      Memory: 64 << 20,
      NanoCpus: 1.5e9,
      CpuShares: 640,
      PidsLimit: 20,
      Ulimits: [{ Name: 'nofile', Soft: 10, Hard: -1 }],
      Annotations: { 'org.example': 'x' },
    });
    expect(linux?.resources).toMatchObject({
      memory: { limit: 67_108_864n, swap: 134_217_728n },
      cpu: { shares: 640n, quota: 150_000n, period: 100_000n },
      pids: { limit: 20n },
    });
    expect(process?.rlimits).toEqual([{ type: 'RLIMIT_NOFILE', soft: 10n, hard: 2n ** 64n - 1n }]);
  });

  it('puts an init before the program where one is wanted', () => {
    const config = configOf({ Init: true }, {}, { initProgram: '/usr/bin/tini' });
    expect(config.process?.args?.slice(1)).toEqual(['--', 'sh']);
    expect(config.mounts?.find(({ source }) => source === '/usr/bin/tini')?.destination).toBe(config.process?.args?.[0]);
  });
});

describe('execProcess', () => {
  it('is in the container as its own process, but for what is said', () => {
    const record = recordOf({ Config: { ...recordOf().Config, WorkingDir: '/srv' } });
    const options = { args: ['id'], env: ['A=1'], cwd: undefined, tty: false, privileged: false, user: web };
    expect(execProcess(record, options)).toMatchObject({ args: ['id'], cwd: '/srv', user: { uid: 33 }, terminal: false });
    expect(execProcess(record, { ...options, cwd: '/tmp', privileged: true, user: root }).capabilities?.effective).toContain(
      'CAP_SYS_ADMIN',
    );
  });
});
