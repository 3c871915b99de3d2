import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { noResctrl } from '../../harness/host.ts';
import { Topic } from '../../harness/test-case.ts';

const version = new Topic('config/version');
const unknown = new Topic('config/unknown');
const annotations = new Topic('config/annotations');
const wrong = new Topic('config/wrong');
const rest = new Topic('config/linux');

for (const ociVersion of ['1.0.0', '1.0.1', '1.0.2']) {
  version.test(
    `older-${ociVersion}: a configuration of version ${ociVersion} is accepted`,
    ['config/version/compatible'],
    async (ground) => {
      assert.equal(await ground.sh('echo ran', { ociVersion }), 'ran');
    },
  );
}

for (const [name, ociVersion] of [
  ['text', 'invalid'],
  ['two-numbers', '1.0'],
  ['number', 1],
  ['absent', undefined],
  ['next-major', '99.0.0'],
] as const) {
  version.test(
    `${name}: the version ${JSON.stringify(ociVersion) ?? 'absent'} is an error`,
    ['config/version/semver', 'config/valid-values'],
    (ground) => ground.refuse({ ociVersion }),
  );
}

const IGNORED = ['config/extensibility/unknown', 'runtime/warnings/go-on'] as const;
for (const path of [
  'unknownProperty',
  'process.unknownProperty',
  'process.user.unknownProperty',
  'root.unknownProperty',
  'linux.unknownProperty',
  'linux.resources.unknownProperty',
  'mounts.0.unknownProperty',
  'hooks.unknownProperty',
]) {
  unknown.test(`${path.replaceAll('.', '-').toLowerCase()}: an unknown property at ${path} is ignored`, IGNORED, async (ground) => {
    assert.equal(await ground.sh('echo ran', { [path]: { any: ['thing', 1, null] } }), 'ran');
  });
}

unknown.test('other-platforms: properties of other platforms are ignored', IGNORED, async (ground) => {
  const patch = {
    windows: { layerFolders: ['C:\\x'] },
    solaris: { limitpriv: 'x' },
    'process.commandLine': 'x',
    'process.user.username': 'x',
  };
  assert.equal(await ground.sh('echo ran', patch), 'ran');
});

annotations.test('unknown: an annotation that nobody knows is ignored', ['config/annotations/unknown'], async (ground) => {
  assert.equal(await ground.sh('echo ran', { annotations: { 'org.opencontainers.no-such-key': 'x', 'com.example.x': '' } }), 'ran');
});

annotations.test('reserved-known: the annotations of the specification are accepted', ['config/annotations/unknown'], async (ground) => {
  const keys = ['os', 'os.version', 'os.features', 'architecture', 'variant', 'author', 'created', 'stopSignal'];
  assert.equal(
    await ground.sh('echo ran', { annotations: Object.fromEntries(keys.map((key) => [`org.opencontainers.image.${key}`, 'x'])) }),
    'ran',
  );
});

annotations.test('empty-key: an empty key is an error', ['config/annotations/key-not-empty', 'config/valid-values'], (ground) =>
  ground.refuse({ annotations: { '': 'x' } }),
);

for (const [name, value] of [
  ['number', { 'com.example.x': 1 }],
  ['object', { 'com.example.x': {} }],
  ['list', ['x']],
] as const) {
  annotations.test(`${name}-value: ${JSON.stringify(value)} are an error`, ['config/annotations/map', 'config/valid-values'], (ground) =>
    ground.refuse({ annotations: value }),
  );
}

for (const [name, patch] of [
  ['args-text', { 'process.args': 'sh' }],
  ['env-object', { 'process.env': { A: 'b' } }],
  ['cwd-number', { 'process.cwd': 1 }],
  ['terminal-text', { 'process.terminal': 'yes' }],
  ['root-text', { root: 'rootfs' }],
  ['root-path-number', { 'root.path': 5 }],
  ['readonly-text', { 'root.readonly': 'true' }],
  ['mounts-object', { mounts: {} }],
  ['mount-text', { mounts: ['/proc'] }],
  ['options-text', { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: 'ro' } }],
  ['hostname-number', { hostname: 5 }],
  ['namespaces-text', { 'linux.namespaces': ['pid'] }],
  ['linux-list', { linux: [] }],
  ['mappings-negative', { 'linux.uidMappings': [{ containerID: -1, hostID: 0, size: 1 }] }],
  ['rlimit-negative', { 'process.rlimits': [{ type: 'RLIMIT_CORE', soft: -1, hard: 0 }] }],
  ['capabilities-list', { 'process.capabilities': ['CAP_KILL'] }],
  ['hooks-list', { hooks: [] }],
  ['sysctl-number', { 'linux.sysctl': { 'kernel.msgmax': 8192 } }],
  ['uid-too-great', { 'process.user': { uid: 4294967296, gid: 0 } }],
] as const) {
  wrong.test(
    `${name}: a value of the wrong kind is an error`,
    ['config/valid-values', 'runtime/create/cannot-apply', 'runtime/errors/no-trace'],
    (ground) => ground.refuse(patch),
  );
}

rest.test(
  'intel-rdt-not-mounted: intelRdt without resctrl is an error',
  ['linux/intel-rdt/not-mounted', 'runtime/create/cannot-apply'],
  (ground) => ground.refuse({ 'linux.intelRdt': { closID: 'conformance', l3CacheSchema: 'L3:0=f' } }),
  { needs: [noResctrl] },
);

rest.test(
  'memory-policy: the policy is that of the configuration',
  ['linux/memory-policy'],
  async (ground) => {
    const patch = { 'linux.memoryPolicy': { mode: 'MPOL_BIND', nodes: '0' } };
    assert.match(await ground.sh('head -n 1 /proc/self/numa_maps', patch), /\bbind:0\b/);
  },
  { since: '1.3.0', needs: [{ what: 'a kernel with NUMA', met: () => existsSync('/proc/self/numa_maps') }] },
);

rest.test(
  'memory-policy-unknown: an unknown policy is an error',
  ['linux/memory-policy', 'config/valid-values'],
  (ground) => ground.refuseProcess({ 'linux.memoryPolicy': { mode: 'MPOL_NO_SUCH', nodes: '0' } }),
  { since: '1.3.0' },
);

rest.test(
  'cpu-affinity: an affinity for exec does not concern the container’s own program',
  ['config/exec-cpu-affinity'],
  async (ground) => {
    const allowed = (await ground.probe(['status'])).status('Cpus_allowed_list');
    const facts = await ground.probe(['status'], { 'process.execCPUAffinity': { initial: '0', final: '0' } });
    assert.equal(facts.status('Cpus_allowed_list'), allowed);
  },
);

rest.test(
  'net-device-missing: a network device that is not there is an error',
  ['linux/net-devices/check', 'runtime/create/cannot-apply'],
  (ground) => ground.refuse({ 'linux.netDevices': { 'no-such-dev': {} }, 'linux.namespaces+': { type: 'network' } }),
  { since: '1.3.0' },
);

export const configTests = [version, unknown, annotations, wrong, rest].flatMap((topic) => topic.tests);
