import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { NAMESPACE_TYPES, type NamespaceType } from '../../../specs/runtime/linux/namespaces.ts';
import type { Ground } from '../../harness/ground.ts';
import { namespaceFile } from '../../harness/host.ts';
import type { ConfigPatch } from '../../harness/patch.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('namespaces/types');
export const namespaceTests = topic.tests;

/** The kernel's name of each type. */
const KERNEL_NAMES: Readonly<Record<NamespaceType, string>> = {
  pid: 'pid',
  network: 'net',
  mount: 'mnt',
  ipc: 'ipc',
  uts: 'uts',
  user: 'user',
  cgroup: 'cgroup',
  time: 'time',
};
const MAPPINGS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const BASE = ['pid', 'ipc', 'uts', 'mount'];
const EXTRA: Readonly<Partial<Record<NamespaceType, ConfigPatch>>> = {
  user: { 'linux.uidMappings': MAPPINGS, 'linux.gidMappings': MAPPINGS },
};

/** The base configuration mounts a sysfs, which shows a network namespace: in a user namespace it must be one of the container's. */
function list(...types: readonly string[]): { readonly type: string }[] {
  return [...new Set(types.includes('user') ? [...types, 'network'] : types)].map((type) => ({ type }));
}

async function namespacesOf(
  ground: Ground,
  namespaces: readonly object[],
  extra: ConfigPatch = {},
): Promise<(type: NamespaceType) => string> {
  const facts = await ground.probe(['namespaces'], { 'linux.namespaces': namespaces, ...extra });
  return (type) => facts.namespace(KERNEL_NAMES[type]);
}

const hostNamespace = (type: NamespaceType) => readlinkSync(`/proc/self/ns/${KERNEL_NAMES[type]}`);

for (const type of NAMESPACE_TYPES) {
  const needs = [namespaceFile(KERNEL_NAMES[type])];
  const since = type === 'time' ? '1.1.0' : '1.0.0';
  topic.test(
    `new-${type}: a ${type} namespace without a path is a new one`,
    ['linux/namespaces/types', 'linux/namespaces/new'],
    async (ground) => {
      const of = await namespacesOf(ground, list(...BASE, type), EXTRA[type]);
      assert.notEqual(of(type), hostNamespace(type));
      assert.notEqual(of(type), '');
    },
    { needs, since },
  );
}

for (const type of NAMESPACE_TYPES.filter((name) => name !== 'mount')) {
  topic.test(
    `inherit-${type}: a ${type} namespace that is not listed is the runtime’s`,
    ['linux/namespaces/inherit'],
    async (ground) => {
      // A proc file system belongs to the pid namespace in which it is mounted, and so it does here.
      const extra = type === 'uts' ? { hostname: undefined } : {};
      const of = await namespacesOf(ground, list(...BASE.filter((name) => name !== type)), extra);
      assert.equal(of(type), hostNamespace(type));
    },
    { needs: [namespaceFile(KERNEL_NAMES[type])] },
  );
}

for (const type of NAMESPACE_TYPES.filter((name) => !['mount', 'user', 'time'].includes(name))) {
  topic.test(
    `join-${type}: a path to the ${type} namespace of another container joins it`,
    ['linux/namespaces/path-joins'],
    async (ground) => {
      const other = await ground.start({ 'linux.namespaces': list(...BASE, type) });
      const path = `/proc/${await other.pid()}/ns/${KERNEL_NAMES[type]}`;
      const expected = readlinkSync(path);
      const of = await namespacesOf(
        ground,
        [...list(...BASE.filter((name) => name !== type)), { type, path }],
        type === 'uts' ? { hostname: undefined } : {},
      );
      assert.equal(of(type), expected);
    },
    { needs: [namespaceFile(KERNEL_NAMES[type])] },
  );
}

topic.test('join-user: a path to the user namespace of another container joins it', ['linux/namespaces/path-joins'], async (ground) => {
  const other = await ground.start({ 'linux.namespaces': list(...BASE, 'user'), ...EXTRA.user });
  const path = `/proc/${await other.pid()}/ns/user`;
  const expected = readlinkSync(path);
  const of = await namespacesOf(ground, [...list(...BASE, 'network'), { type: 'user', path }]);
  assert.equal(of('user'), expected);
});

topic.test(
  'join-time: a path to the time namespace of another container joins it',
  ['linux/namespaces/path-joins'],
  async (ground) => {
    const other = await ground.start({ 'linux.namespaces': list(...BASE, 'time') });
    const path = `/proc/${await other.pid()}/ns/time`;
    const expected = readlinkSync(path);
    const of = await namespacesOf(ground, [...list(...BASE), { type: 'time', path }]);
    assert.equal(of('time'), expected);
  },
  { needs: [namespaceFile('time')], since: '1.1.0' },
);

topic.test('join-several: several namespaces of one container', ['linux/namespaces/path-joins'], async (ground) => {
  const pid = await (await ground.start()).pid();
  const joined = (['ipc', 'uts'] as const).map((type) => ({ type, path: `/proc/${pid}/ns/${type}` }));
  const expected = joined.map(({ path }) => readlinkSync(path));
  const of = await namespacesOf(ground, [...list('pid', 'mount'), ...joined], { hostname: undefined });
  assert.deepEqual([of('ipc'), of('uts')], expected);
});

topic.test(
  'pid-joined-sees: a process in the pid namespace of another container sees its processes',
  ['linux/namespaces/path-joins'],
  async (ground) => {
    const pid = await (await ground.start({ 'process.args': ['sleep', '4321'] })).pid();
    const out = await ground.sh("cat /proc/1/cmdline | tr '\\0' ' '", {
      'linux.namespaces': [...list('mount', 'ipc', 'uts'), { type: 'pid', path: `/proc/${pid}/ns/pid` }],
    });
    assert.equal(out.trim(), 'sleep 4321');
  },
);

for (const type of ['network', 'ipc', 'uts', 'pid'] as const) {
  const wrong = type === 'uts' ? 'ipc' : 'uts';
  topic.test(
    `wrong-${type}: a path to a ${wrong} namespace for type ${type} is an error`,
    ['linux/namespaces/path-type', 'runtime/errors/no-trace'],
    (ground) =>
      ground.refuse({
        'linux.namespaces': [...list(...BASE.filter((name) => name !== type)), { type, path: `/proc/${process.pid}/ns/${wrong}` }],
        hostname: undefined,
      }),
  );
}

topic.test('path-file: a path to an ordinary file is an error', ['linux/namespaces/path-type'], (ground) => {
  const bundle = ground.bundle();
  const path = bundle.file('file');
  bundle.configure({ 'linux.namespaces': [...list('pid', 'mount', 'ipc', 'uts'), { type: 'network', path }] });
  return ground.refuse(bundle);
});

topic.test('path-missing: a path to nothing is an error', ['linux/namespaces/path-type', 'runtime/lifecycle/environment-error'], (ground) =>
  ground.refuse({ 'linux.namespaces': [...list(...BASE), { type: 'network', path: '/no/such/namespace' }] }),
);

topic.test('path-relative: a relative path is an error', ['linux/namespaces/path-absolute', 'config/valid-values'], (ground) =>
  ground.refuse({ 'linux.namespaces': [...list(...BASE), { type: 'network', path: `proc/${process.pid}/ns/net` }] }),
);

for (const type of NAMESPACE_TYPES) {
  topic.test(
    `duplicate-${type}: two entries of type ${type} are an error`,
    ['linux/namespaces/duplicates', 'config/valid-values'],
    (ground) =>
      ground.refuse({ 'linux.namespaces': [...list(...BASE.filter((name) => name !== type)), { type }, { type }], ...EXTRA[type] }),
    { since: type === 'time' ? '1.1.0' : '1.0.0' },
  );
}

for (const type of ['no-such-type', 'Pid', 'net', '']) {
  topic.test(
    `unknown-${type === 'Pid' ? 'capital' : type || 'empty'}: the type ${JSON.stringify(type)} is an error`,
    ['config/valid-values', 'runtime/create/cannot-apply'],
    (ground) => ground.refuse({ 'linux.namespaces': [...list(...BASE), { type }] }),
  );
}

topic.test('network-empty: a new network namespace has only a loopback device', ['linux/namespaces/new'], async (ground) => {
  const out = await ground.sh('sed -n "s/^ *\\([^:]*\\):.*/\\1/p" /proc/net/dev', { 'linux.namespaces+': { type: 'network' } });
  assert.ok(out.split('\n').includes('lo'));
  assert.doesNotMatch(out, /^(eth|en|wl)/m);
});
