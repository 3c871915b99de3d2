import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from '../../harness/container.ts';
import type { Ground } from '../../harness/ground.ts';
import { controller, UNIFIED, unifiedCgroups } from '../../harness/host.ts';
import type { ConfigPatch } from '../../harness/patch.ts';
import { Topic } from '../../harness/test-case.ts';
import type { RequirementId } from '../../requirements/all.ts';

const path = new Topic('cgroups/path', { needs: [unifiedCgroups] });
const limits = new Topic('cgroups/limits', { needs: [unifiedCgroups] });
const devices = new Topic('cgroups/devices', { needs: [unifiedCgroups] });

let count = 0;
/** A path below the root of the hierarchy that nobody else uses. */
function freshPath(): string {
  count += 1;
  return `/conformance-${process.pid}-${count}`;
}

/** The cgroup of the container's process, as a directory. */
async function cgroupOf(container: Container): Promise<string> {
  const line = /^0::(.*)$/m.exec(readFileSync(`/proc/${await container.pid()}/cgroup`, 'utf8'));
  return join(UNIFIED, line?.[1] ?? '/');
}

async function fileOf(ground: Ground, name: string, patch: ConfigPatch): Promise<string> {
  const container = await ground.create({ 'linux.cgroupsPath': freshPath(), ...patch });
  return readFileSync(join(await cgroupOf(container), name), 'utf8').trim();
}

path.test('absolute: an absolute path is below the mount point', ['linux/cgroups/path-absolute'], async (ground) => {
  const cgroupsPath = freshPath();
  const container = await ground.create({ 'linux.cgroupsPath': cgroupsPath });
  assert.ok((await cgroupOf(container)).startsWith(join(UNIFIED, cgroupsPath)), await cgroupOf(container));
});

path.test('consistent: the same path is the same cgroup', ['linux/cgroups/path-consistent'], async (ground) => {
  const patch = { 'linux.cgroupsPath': freshPath() };
  const places: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const container = await ground.start(patch);
    places.push(await cgroupOf(container));
    await container.stop();
    await container.do('delete');
  }
  assert.equal(places[0], places[1]);
});

path.test('removed: the cgroup goes with the container', ['runtime/delete/resources'], async (ground) => {
  const container = await ground.start({ 'linux.cgroupsPath': freshPath() });
  const place = await cgroupOf(container);
  await container.stop();
  await container.do('delete');
  assert.equal(existsSync(place), false);
});

path.test(
  'climbing: a path that leads out of the hierarchy is an error, or stays inside',
  ['linux/cgroups/path-invalid', 'linux/cgroups/path-absolute'],
  async (ground) => {
    const outside = `/tmp${freshPath()}`;
    ground.atEnd(() => existsSync(outside) && rmdirSync(outside));
    const { container, result } = await ground.tryCreate({ 'linux.cgroupsPath': `/../../..${outside}` });
    assert.equal(existsSync(outside), false, `${outside} was made`);
    if (result.status === 0) assert.ok((await cgroupOf(container)).startsWith(UNIFIED));
  },
);

path.test('unfit: a cgroup with processes of others is an error, or is shared', ['linux/cgroups/unfit'], async (ground) => {
  const patch = { 'linux.cgroupsPath': freshPath() };
  const first = await ground.start(patch);
  const { container, result } = await ground.tryCreate(patch);
  assert.equal(await first.status(), 'running');
  if (result.status === 0) assert.equal(await cgroupOf(container), await cgroupOf(first));
});

path.test('owner: without a writable cgroup mount the owner stays', ['linux/cgroups/owner'], async (ground) => {
  const container = await ground.create({ 'linux.cgroupsPath': freshPath(), 'process.user': { uid: 1000, gid: 1000 } });
  assert.equal(statSync(await cgroupOf(container)).uid, 0);
});

path.test(
  'delegated: with a writable cgroup mount in a cgroup namespace it works',
  ['linux/cgroups/owner-missing-files'],
  async (ground) => {
    const patch = {
      'linux.cgroupsPath': freshPath(),
      'linux.namespaces+': { type: 'cgroup' },
      'mounts+': { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'rw'] },
    };
    assert.equal(await ground.sh('test -e /sys/fs/cgroup/cgroup.procs && echo there', patch), 'there');
  },
);

interface Limit {
  readonly name: string;
  readonly covers: RequirementId;
  readonly controller: string;
  readonly resources: object;
  readonly file: string;
  readonly expected: RegExp;
}

const MEBI = 1_048_576;
const LIMITS: readonly Limit[] = [
  {
    name: 'memory',
    covers: 'linux/cgroups/memory',
    controller: 'memory',
    resources: { memory: { limit: 64 * MEBI } },
    file: 'memory.max',
    expected: /^67108864$/,
  },
  {
    name: 'memory-reservation',
    covers: 'linux/cgroups/memory',
    controller: 'memory',
    resources: { memory: { reservation: 32 * MEBI } },
    file: 'memory.low',
    expected: /^33554432$/,
  },
  {
    name: 'memory-swap',
    covers: 'linux/cgroups/memory',
    controller: 'memory',
    resources: { memory: { limit: 64 * MEBI, swap: 96 * MEBI } },
    file: 'memory.swap.max',
    expected: /^33554432$/,
  },
  {
    name: 'memory-unlimited',
    covers: 'linux/cgroups/memory',
    controller: 'memory',
    resources: { memory: { limit: -1 } },
    file: 'memory.max',
    expected: /^max$/,
  },
  {
    name: 'cpu-quota',
    covers: 'linux/cgroups/cpu',
    controller: 'cpu',
    resources: { cpu: { quota: 20_000, period: 100_000 } },
    file: 'cpu.max',
    expected: /^20000 100000$/,
  },
  {
    name: 'cpu-period',
    covers: 'linux/cgroups/cpu',
    controller: 'cpu',
    resources: { cpu: { period: 50_000 } },
    file: 'cpu.max',
    expected: /^max 50000$/,
  },
  {
    name: 'cpu-shares',
    covers: 'linux/cgroups/cpu',
    controller: 'cpu',
    resources: { cpu: { shares: 1024 } },
    file: 'cpu.weight',
    expected: /^(39|100)$/,
  },
  {
    name: 'cpuset',
    covers: 'linux/cgroups/cpu',
    controller: 'cpuset',
    resources: { cpu: { cpus: '0' } },
    file: 'cpuset.cpus',
    expected: /^0$/,
  },
  {
    name: 'cpuset-mems',
    covers: 'linux/cgroups/cpu',
    controller: 'cpuset',
    resources: { cpu: { mems: '0' } },
    file: 'cpuset.mems',
    expected: /^0$/,
  },
  {
    name: 'pids',
    covers: 'linux/cgroups/pids',
    controller: 'pids',
    resources: { pids: { limit: 50 } },
    file: 'pids.max',
    expected: /^50$/,
  },
  {
    name: 'pids-unlimited',
    covers: 'linux/cgroups/pids',
    controller: 'pids',
    resources: { pids: { limit: -1 } },
    file: 'pids.max',
    expected: /^max$/,
  },
  {
    name: 'unified',
    covers: 'linux/cgroups/unified-controllers',
    controller: 'memory',
    resources: { unified: { 'memory.high': '50331648' } },
    file: 'memory.high',
    expected: /^50331648$/,
  },
  {
    name: 'unified-pids',
    covers: 'linux/cgroups/unified-controllers',
    controller: 'pids',
    resources: { unified: { 'pids.max': '60' } },
    file: 'pids.max',
    expected: /^60$/,
  },
  {
    name: 'unified-core',
    covers: 'linux/cgroups/unified-unknown',
    controller: 'memory',
    resources: { unified: { 'cgroup.max.descendants': '7' } },
    file: 'cgroup.max.descendants',
    expected: /^7$/,
  },
];

for (const { name, covers, controller: needed, resources, file, expected } of LIMITS) {
  limits.test(
    `${name}: ${JSON.stringify(resources)} is in ${file}`,
    [covers],
    async (ground) => {
      assert.match(await fileOf(ground, file, { 'linux.resources': resources }), expected);
    },
    { needs: [controller(needed)] },
  );
}

limits.test(
  'pids-zero: no process but the first',
  ['linux/cgroups/pids-zero'],
  async (ground) => {
    assert.match(await fileOf(ground, 'pids.max', { 'linux.resources': { pids: { limit: 0 } } }), /^[01]$/);
  },
  { needs: [controller('pids')], since: '1.3.0' },
);

limits.test(
  'memory-check: a limit below the usage is an error',
  ['linux/cgroups/memory-check'],
  (ground) =>
    ground.refuseProcess({ 'linux.cgroupsPath': freshPath(), 'linux.resources': { memory: { limit: 4096, checkBeforeUpdate: true } } }),
  { needs: [controller('memory')], since: '1.1.0' },
);

limits.test(
  'unified-missing: a controller that is not there is an error',
  ['linux/cgroups/unified-missing', 'runtime/errors/no-trace'],
  (ground) => ground.refuse({ 'linux.cgroupsPath': freshPath(), 'linux.resources': { unified: { 'nosuch.max': '1' } } }),
);

limits.test(
  'unified-refused: a value that the kernel refuses is an error',
  ['linux/cgroups/unified-unknown', 'runtime/errors/no-trace'],
  (ground) => ground.refuse({ 'linux.cgroupsPath': freshPath(), 'linux.resources': { unified: { 'cgroup.max.depth': 'deep' } } }),
);

limits.test('realtime: a limit of cgroup v1 that v2 does not have is an error', ['linux/cgroups/conversion'], (ground) =>
  ground.refuse({ 'linux.cgroupsPath': freshPath(), 'linux.resources': { cpu: { realtimeRuntime: 5000, realtimePeriod: 10_000 } } }),
);

const ALL = { allow: true, access: 'rwm' };
const NONE = { allow: false, access: 'rwm' };
const zero = { type: 'c', major: 1, minor: 5, access: 'rwm' };

async function readsZero(ground: Ground, entries: readonly object[]): Promise<boolean> {
  const patch = {
    'linux.cgroupsPath': freshPath(),
    'linux.resources': { devices: entries },
    'linux.devices': [{ path: '/dev/mem0', type: 'c', major: 1, minor: 1, fileMode: 0o666 }],
  };
  return (await ground.sh('head -c 0 /dev/mem0 2>/dev/null && echo read; true', patch)) === 'read';
}

const memory = { type: 'c', major: 1, minor: 1, access: 'rwm' };
devices.test('denied: a device that is not allowed cannot be opened', ['linux/cgroups/devices-order'], async (ground) => {
  assert.equal(await readsZero(ground, [NONE]), false);
});

devices.test('order-denied: the last entry that matches counts, when it denies', ['linux/cgroups/devices-order'], async (ground) => {
  assert.equal(await readsZero(ground, [ALL, { ...memory, allow: false }]), false);
});

devices.test(
  'defaults: the default devices can be used when all others are denied',
  ['linux/cgroups/devices-order', 'linux/devices/default'],
  async (ground) => {
    const patch = { 'linux.cgroupsPath': freshPath(), 'linux.resources': { devices: [NONE, { ...zero, allow: true }] } };
    assert.equal(await ground.sh('head -c 1 /dev/zero | wc -c', patch), '1');
  },
);

export const cgroupTests = [path, limits, devices].flatMap((topic) => topic.tests);
