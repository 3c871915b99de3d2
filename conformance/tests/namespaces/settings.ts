import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { namespaceFile } from '../../harness/host.ts';
import { Topic } from '../../harness/test-case.ts';

const user = new Topic('namespaces/user', { needs: [namespaceFile('user')] });
const time = new Topic('namespaces/time', { needs: [namespaceFile('time')], since: '1.1.0' });
const uts = new Topic('namespaces/uts');
const sysctl = new Topic('namespaces/sysctl');

/** The network namespace, since the base configuration mounts a sysfs, which shows one. */
const TYPES = ['pid', 'ipc', 'uts', 'mount', 'network', 'user'].map((type) => ({ type }));
const MAP = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const userNamespace = (uids: unknown = MAP, gids: unknown = MAP) => ({
  'linux.namespaces': TYPES,
  'linux.uidMappings': uids,
  'linux.gidMappings': gids,
});
const columns = (text: string) => text.split('\n').map((line) => line.trim().split(/\s+/).join(' '));

user.test('maps: the namespace has the mappings', ['linux/user-mappings'], async (ground) => {
  const facts = await ground.probe(['uid_map', 'gid_map'], userNamespace(MAP, [{ containerID: 0, hostID: 200_000, size: 1000 }]));
  assert.deepEqual(columns(facts.text('uid_map')), ['0 100000 65536']);
  assert.deepEqual(columns(facts.text('gid_map')), ['0 200000 1000']);
});

user.test('several-maps: the namespace has several mappings', ['linux/user-mappings'], async (ground) => {
  const maps = [
    { containerID: 0, hostID: 100_000, size: 10 },
    { containerID: 10, hostID: 300_000, size: 10 },
    { containerID: 1000, hostID: 400_000, size: 1 },
  ];
  const facts = await ground.probe(['uid_map'], userNamespace(maps, maps));
  assert.deepEqual(columns(facts.text('uid_map')), ['0 100000 10', '10 300000 10', '1000 400000 1']);
});

user.test('ids-inside: the user is the one of the container’s namespace', ['linux/user-mappings', 'config/user/ids'], async (ground) => {
  const facts = await ground.probe(['status'], { ...userNamespace(), 'process.user': { uid: 5, gid: 6, additionalGids: [7] } });
  assert.equal(facts.status('Uid'), '5\t5\t5\t5');
  assert.equal(facts.status('Gid'), '6\t6\t6\t6');
  assert.match(facts.status('Groups'), /\b7\b/);
});

user.test('ids-outside: the host sees the mapped ids', ['linux/user-mappings'], async (ground) => {
  const container = await ground.start({ ...userNamespace(), 'process.user': { uid: 5, gid: 6 } });
  const { uid, gid } = statSync(`/proc/${await container.pid()}`);
  // A process that may not be dumped belongs to root.
  if (uid !== 0) assert.deepEqual([uid, gid], [100_005, 100_006]);

  assert.match(readFileSync(`/proc/${await container.pid()}/status`, 'utf8'), /^Uid:\t100005\t/m);
});

user.test('ownership: files of the root file system keep their owners', ['linux/user-mappings/ownership'], async (ground) => {
  const bundle = ground.bundle(userNamespace());
  const file = bundle.file('rootfs/etc/owned');
  assert.equal((await ground.tryCreate(bundle)).result.status, 0);
  assert.equal(statSync(file).uid, 0);
});

user.test('capabilities: root of the namespace has its capabilities there', ['linux/user-mappings'], async (ground) => {
  const facts = await ground.probe(['status'], userNamespace());
  assert.notEqual(BigInt(`0x${facts.status('CapEff')}`), 0n);
});

user.test('devices: the default devices can be used', ['linux/devices/default'], async (ground) => {
  assert.equal(await ground.sh('echo x >/dev/null && head -c 1 /dev/zero | wc -c', userNamespace()), '1');
});

user.test('unmapped-user: a user that is not mapped is an error', ['runtime/create/cannot-apply'], (ground) =>
  ground.refuseProcess({ ...userNamespace([{ containerID: 0, hostID: 100_000, size: 10 }]), 'process.user': { uid: 50, gid: 0 } }),
);

const OFFSETS = ['linux/time-offsets'] as const;
const withOffsets = (timeOffsets: unknown) => ({ 'linux.namespaces+': { type: 'time' }, 'linux.timeOffsets': timeOffsets });

for (const clock of ['monotonic', 'boottime']) {
  time.test(`${clock}: the clock ${clock} has its offset`, OFFSETS, async (ground) => {
    const facts = await ground.probe(['timens_offsets'], withOffsets({ [clock]: { secs: 5000, nanosecs: 123 } }));
    assert.ok(columns(facts.text('timens_offsets')).includes(`${clock} 5000 123`), facts.text('timens_offsets'));
  });
}

time.test('both: both clocks have their offsets', OFFSETS, async (ground) => {
  const facts = await ground.probe(['timens_offsets'], withOffsets({ monotonic: { secs: 100 }, boottime: { secs: 200 } }));
  assert.deepEqual(columns(facts.text('timens_offsets')), ['monotonic 100 0', 'boottime 200 0']);
});

time.test('negative: an offset may be negative', OFFSETS, async (ground) => {
  const facts = await ground.probe(['timens_offsets'], withOffsets({ boottime: { secs: -1 } }));
  assert.ok(columns(facts.text('timens_offsets')).includes('boottime -1 0'), facts.text('timens_offsets'));
});

time.test('uptime: the container’s uptime is moved', OFFSETS, async (ground) => {
  const facts = await ground.probe(['uptime'], withOffsets({ boottime: { secs: 10_000_000 } }));
  assert.ok(Number(facts.text('uptime').split(' ')[0]) > 10_000_000, facts.text('uptime'));
});

time.test('unknown-clock: an offset of another clock is an error', [...OFFSETS, 'config/valid-values'], (ground) =>
  ground.refuse(withOffsets({ realtime: { secs: 1 } })),
);

time.test('no-namespace: offsets without a time namespace are an error', [...OFFSETS, 'runtime/create/cannot-apply'], (ground) =>
  ground.refuse({ 'linux.timeOffsets': { boottime: { secs: 1 } } }),
);

uts.test('hostname: the container sees the hostname', ['config/hostname'], async (ground) => {
  const facts = await ground.probe(['hostname'], { hostname: 'name-of-test' });
  assert.equal(facts.text('hostname'), 'name-of-test');
  assert.notEqual(hostname(), 'name-of-test');
});

uts.test('hostname-long: a hostname of 64 bytes', ['config/hostname'], async (ground) => {
  assert.equal((await ground.probe(['hostname'], { hostname: 'h'.repeat(64) })).text('hostname'), 'h'.repeat(64));
});

uts.test(
  'hostname-too-long: a hostname that the kernel does not take is an error',
  ['config/hostname', 'runtime/create/cannot-apply', 'runtime/errors/no-trace'],
  (ground) => ground.refuse({ hostname: 'h'.repeat(65) }),
);

uts.test('hostname-none: without a hostname it is the one of the host', ['config/hostname'], async (ground) => {
  assert.equal((await ground.probe(['hostname'], { hostname: undefined })).text('hostname'), hostname());
});

uts.test(
  'hostname-host: a hostname without a namespace for it is an error, or it would be the host’s',
  ['config/hostname', 'config/valid-values'],
  async (ground) => {
    await ground.refuse({ hostname: hostname(), 'linux.namespaces': [{ type: 'pid' }, { type: 'ipc' }, { type: 'mount' }] });
  },
);

uts.test(
  'domainname: the container sees the domain name',
  ['config/domainname'],
  async (ground) => {
    assert.equal((await ground.probe(['domainname'], { domainname: 'example.test' })).text('domainname'), 'example.test');
  },
  { since: '1.1.0' },
);

const SYSCTL = ['linux/sysctl'] as const;
for (const [key, value, namespace] of [
  ['kernel.msgmax', '16384', 'ipc'],
  ['kernel.shmmni', '2048', 'ipc'],
  ['fs.mqueue.msg_max', '20', 'ipc'],
  ['net.ipv4.ip_forward', '1', 'network'],
  ['net.core.somaxconn', '256', 'network'],
  ['net.ipv4.ping_group_range', '0\t1000', 'network'],
] as const) {
  const place = `/proc/sys/${key.replaceAll('.', '/')}`;
  sysctl.test(`${key.replaceAll('.', '-')}: ${key} has its value`, SYSCTL, async (ground) => {
    const extra = namespace === 'network' ? { 'linux.namespaces+': { type: 'network' } } : {};
    // A path with dots in a step is written with slashes.
    assert.equal(await ground.sh(`cat ${place}`, { [`linux/sysctl/${key}`]: value, ...extra }), value);
  });
}

sysctl.test(
  'not-namespaced: a parameter of the whole host is an error',
  [...SYSCTL, 'config/valid-values', 'runtime/errors/no-trace'],
  (ground) => ground.refuse({ 'linux/sysctl/kernel.panic_on_oops': '1' }),
);

sysctl.test('net-of-host: a network parameter without a network namespace is an error', [...SYSCTL, 'config/valid-values'], (ground) =>
  ground.refuse({ 'linux/sysctl/net.ipv4.ip_default_ttl': '64' }),
);

sysctl.test('ipc-of-host: an IPC parameter without an IPC namespace is an error', [...SYSCTL, 'config/valid-values'], (ground) =>
  ground.refuse({ 'linux/sysctl/kernel.msgmax': '8192', 'linux.namespaces': [{ type: 'pid' }, { type: 'uts' }, { type: 'mount' }] }),
);

sysctl.test('refused: a value that the kernel refuses is an error', [...SYSCTL, 'runtime/create/cannot-apply'], (ground) =>
  ground.refuse({ 'linux/sysctl/kernel.msgmax': 'many' }),
);

export const namespaceSettingTests = [user, time, uts, sysctl].flatMap((topic) => topic.tests);
