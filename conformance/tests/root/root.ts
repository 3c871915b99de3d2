import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostMountsBelow, mountAt } from '../../harness/mount-info.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('root/file-system');
const propagation = new Topic('root/propagation');

topic.test('is-root: the root of the container is the root file system', ['config/root/path'], async (ground) => {
  const bundle = ground.bundle({ 'process.args': ['cat', '/etc/marker'] });
  bundle.file('rootfs/etc/marker', 'here');
  assert.equal((await ground.run(bundle)).stdout, 'here');
});

topic.test('absolute-path: the path of the root may be absolute', ['config/root/path'], async (ground) => {
  assert.equal(await ground.sh('echo ran', (bundle) => ({ 'root.path': bundle.rootfs })), 'ran');
});

topic.test('other-name: the root may have another name', ['config/root/path'], async (ground) => {
  const bundle = ground.bundle({ 'root.path': 'other', 'process.args': ['sh', '-c', 'echo ran'] });

  renameSync(bundle.rootfs, join(bundle.path, 'other'));
  assert.equal((await ground.run(bundle)).stdout, 'ran\n');
});

topic.test('host-hidden: nothing of the host’s root is seen', ['config/root/path'], async (ground) => {
  assert.equal(await ground.sh('ls -d /usr /var /home /root /boot 2>/dev/null; true'), '');
});

topic.test('old-root-gone: the old root is not mounted any more', ['config/root/path'], async (ground) => {
  const mounts = (await ground.probe(['mountinfo'])).mounts();
  for (const { point } of mounts) assert.match(point, /^\/($|proc|dev|sys)/);
});

topic.test('dot-dot: .. of the root is the root', ['config/root/path'], async (ground) => {
  assert.equal(await ground.sh('cd /../../..; [ "$(stat -c %i .)" = "$(stat -c %i /)" ] && echo same'), 'same');
});

topic.test('missing: a root that is not there is an error', ['config/root/exists', 'runtime/errors/no-trace'], (ground) => {
  const bundle = ground.bundle();
  rmSync(bundle.rootfs, { recursive: true });
  return ground.refuse(bundle);
});

topic.test('file: a root that is a file is an error', ['config/root/exists'], (ground) => {
  const bundle = ground.bundle({ 'root.path': 'file' });
  bundle.file('file');
  return ground.refuse(bundle);
});

topic.test('absent: a configuration without a root is an error', ['config/root/required', 'config/valid-values'], (ground) =>
  ground.refuse({ root: undefined }),
);

topic.test('absent-path: a root without a path is an error', ['config/root/required', 'config/valid-values'], (ground) =>
  ground.refuse({ root: {} }),
);

topic.test('readonly: nothing can be written to a read-only root', ['config/root/readonly'], async (ground) => {
  assert.equal(
    await ground.sh('touch /file 2>/dev/null && echo written; mkdir /directory 2>/dev/null && echo made; true', { 'root.readonly': true }),
    '',
  );
});

topic.test('readonly-flag: the mount of a read-only root says so', ['config/root/readonly'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], { 'root.readonly': true });
  assert.ok(mountAt(facts.mounts(), '/').options.includes('ro'));
});

topic.test(
  'readonly-mounts: other mounts of a container with a read-only root can be written to',
  ['config/root/readonly'],
  async (ground) => {
    const patch = { 'root.readonly': true, 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs' } };
    assert.equal(await ground.sh('echo x >/mnt/f && cat /mnt/f', patch), 'x');
  },
);

for (const readonly of [false, undefined]) {
  topic.test(
    `writable-${readonly ?? 'unset'}: a root that is not read-only can be written to`,
    ['config/root/readonly'],
    async (ground) => {
      const container = await ground.start({ 'root.readonly': readonly, 'process.args': ['sh', '-c', 'echo written >/file'] });
      await container.waitFor('stopped');
      assert.equal(container.bundle.read('rootfs/file'), 'written\n');
    },
  );
}

topic.test('leaves-no-mount: the mounts of the container are not those of the host', ['config/root/path'], async (ground) => {
  const container = await ground.start();
  assert.deepEqual(hostMountsBelow(container.bundle.path), []);
});

const PROPAGATION: Readonly<Record<string, RegExp>> = {
  shared: /shared:\d+/,
  slave: /^$|master:\d+/,
  private: /^$/,
  unbindable: /unbindable/,
};

for (const [value, expected] of Object.entries(PROPAGATION)) {
  propagation.test(`${value}: the root mount is ${value}`, ['linux/rootfs-propagation'], async (ground) => {
    const facts = await ground.probe(['mountinfo'], { 'linux.rootfsPropagation': value });
    assert.match(mountAt(facts.mounts(), '/').propagation.join(' '), expected);
  });
}

propagation.test('unknown: an unknown propagation is an error', ['linux/rootfs-propagation', 'config/valid-values'], (ground) =>
  ground.refuse({ 'linux.rootfsPropagation': 'everywhere' }),
);

propagation.test('private-to-host: a mount inside a private root is not seen by the host', ['linux/rootfs-propagation'], async (ground) => {
  const caps = ['CAP_SYS_ADMIN'];
  const container = await ground.start({
    'linux.rootfsPropagation': 'private',
    'process.capabilities': { bounding: caps, permitted: caps, effective: caps },
    'process.args': ['sh', '-c', 'mount -t tmpfs tmpfs /mnt && echo mounted; sleep 1000'],
  });
  await container.printed(/mounted/);
  assert.deepEqual(hostMountsBelow(container.bundle.path), []);
});

export const rootTests = [topic, propagation].flatMap((one) => one.tests);
