import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { mountAt } from '../../harness/mount-info.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('mounts/places');
export const mountPlaceTests = topic.tests;

topic.test('order: mounts are made in the listed order', ['config/mounts/order'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': [
      { destination: '/mnt', type: 'tmpfs', source: 'first' },
      { destination: '/mnt/b', type: 'tmpfs', source: 'second' },
      { destination: '/mnt/a', type: 'tmpfs', source: 'third' },
    ],
  });
  const sources = facts
    .mounts()
    .filter((mount) => mount.point.startsWith('/mnt'))
    .map((mount) => mount.source);
  assert.deepEqual(sources, ['first', 'second', 'third']);
});

topic.test('order-hides: a later mount hides an earlier one', ['config/mounts/order'], async (ground) => {
  const patch = {
    'mounts+': [
      { destination: '/mnt/below', type: 'tmpfs', source: 'first' },
      { destination: '/mnt', type: 'tmpfs', source: 'second' },
    ],
  };
  assert.equal(await ground.sh('ls /mnt', patch), '');
});

topic.test('stacked: two mounts at one place', ['config/mounts/order'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': [
      { destination: '/mnt', type: 'tmpfs', source: 'first' },
      { destination: '/mnt', type: 'tmpfs', source: 'second' },
    ],
  });
  assert.equal(mountAt(facts.mounts(), '/mnt').source, 'second');
});

topic.test('relative: a relative destination is relative to /', ['config/mounts/relative-destination'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], { 'mounts+': { destination: 'mnt/relative', type: 'tmpfs', source: 'tmpfs' } });
  assert.equal(mountAt(facts.mounts(), '/mnt/relative').type, 'tmpfs');
});

topic.test('creates-directory: a destination that is not there is made', ['runtime/lifecycle/environment'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], { 'mounts+': { destination: '/new/deep/place', type: 'tmpfs', source: 'tmpfs' } });
  assert.equal(mountAt(facts.mounts(), '/new/deep/place').type, 'tmpfs');
});

const SOURCE = ['config/mounts/source', 'config/mounts/bind-by-option'] as const;

topic.test('bind-directory: a directory is bound', SOURCE, async (ground) => {
  const out = await ground.sh('cat /mnt/f', (bundle) => {
    bundle.file('data/f', 'bound');
    return { 'mounts+': { destination: '/mnt', type: 'none', source: join(bundle.path, 'data'), options: ['bind'] } };
  });
  assert.equal(out, 'bound');
});

topic.test('bind-file: a file is bound, and its place is made', SOURCE, async (ground) => {
  const out = await ground.sh('cat /new/file', (bundle) => ({
    'mounts+': { destination: '/new/file', type: 'none', source: bundle.file('data', 'bound'), options: ['bind'] },
  }));
  assert.equal(out, 'bound');
});

topic.test('bind-relative: a relative source is relative to the bundle', SOURCE, async (ground) => {
  const out = await ground.sh('cat /mnt/f', (bundle) => {
    bundle.file('data/f', 'bound');
    return { 'mounts+': { destination: '/mnt', type: 'none', source: 'data', options: ['bind'] } };
  });
  assert.equal(out, 'bound');
});

topic.test('bind-device: a device is bound', SOURCE, async (ground) => {
  assert.equal(
    await ground.sh('stat -c "%F %t:%T" /mnt/null', {
      'mounts+': { destination: '/mnt/null', type: 'none', source: '/dev/null', options: ['bind'] },
    }),
    'character special file 1:3',
  );
});

for (const type of ['none', 'bind', 'tmpfs', '', undefined]) {
  topic.test(
    `bind-type-${type === '' ? 'empty' : (type ?? 'absent')}: what makes a bind mount is its option, not its type`,
    SOURCE,
    async (ground) => {
      const out = await ground.sh('cat /mnt/f', (bundle) => {
        bundle.file('data/f', 'bound');
        return { 'mounts+': { destination: '/mnt', type, source: join(bundle.path, 'data'), options: ['rbind'] } };
      });
      assert.equal(out, 'bound');
    },
  );
}

topic.test('bind-writes: what is written to a bind mount is in its source', SOURCE, async (ground) => {
  const bundle = ground.bundle((one) => ({
    'process.args': ['sh', '-c', 'echo written >/mnt/f'],
    'mounts+': { destination: '/mnt', type: 'none', source: one.directory('data'), options: ['bind'] },
  }));
  assert.equal((await ground.run(bundle)).status, 0);
  assert.equal(bundle.read('data/f'), 'written\n');
});

for (const [name, mount] of [
  ['missing-source', { destination: '/mnt', type: 'none', source: '/no/such/source', options: ['bind'] }],
  ['unknown-type', { destination: '/mnt', type: 'no-such-file-system', source: 'none' }],
  ['no-destination', { type: 'tmpfs', source: 'tmpfs' }],
] as const) {
  topic.test(
    `${name}: ${JSON.stringify(mount)} is an error`,
    ['runtime/create/cannot-apply', 'runtime/errors/no-trace', 'config/mounts/type'],
    (ground) => ground.refuse({ 'mounts+': mount }),
  );
}

topic.test(
  'link-stays-inside: a symbolic link of the root file system does not lead a mount out of it',
  ['runtime/lifecycle/environment'],
  async (ground) => {
    const bundle = ground.bundle();
    const outside = bundle.directory('outside');
    symlinkSync(outside, bundle.inside('link'));
    bundle.configure({ 'process.args': ['probe', 'mountinfo'], 'mounts+': { destination: '/link', type: 'tmpfs', source: 'marked' } });
    const { status, stdout } = await ground.run(bundle);
    // To refuse it is right too.
    if (status !== 0) return;
    assert.match(stdout, / marked /);
    assert.match(stdout, new RegExp(` ${outside} `), 'the link is followed inside of the root file system');
  },
);

topic.test('proc: /proc is one of the container’s pid namespace', ['linux/default-filesystems'], async (ground) => {
  assert.equal(
    await ground.sh('ls -d /proc/[0-9]* | head -n 1; stat -f -c %T /proc 2>/dev/null || true').then((text) => text.split('\n')[0]),
    '/proc/1',
  );
});

for (const [place, type] of [
  ['/proc', 'proc'],
  ['/sys', 'sysfs'],
  ['/dev', 'tmpfs'],
  ['/dev/pts', 'devpts'],
  ['/dev/shm', 'tmpfs'],
] as const) {
  topic.test(
    `type${place.replaceAll('/', '-')}: ${place} is a ${type}`,
    ['linux/default-filesystems', 'config/mounts/type'],
    async (ground) => {
      assert.equal(mountAt((await ground.probe(['mountinfo'])).mounts(), place).type, type);
    },
  );
}

topic.test('mqueue: a POSIX message queue file system', ['config/mounts/type'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  });
  assert.equal(mountAt(facts.mounts(), '/dev/mqueue').type, 'mqueue');
});
