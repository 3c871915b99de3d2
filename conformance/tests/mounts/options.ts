import assert from 'node:assert/strict';
import { MOUNT_FLAG_OPTIONS } from '../../../specs/runtime/mounts.ts';
import { mountAt } from '../../harness/mount-info.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('mounts/options');
export const mountOptionTests = topic.tests;

const COVERS = ['config/mounts/options'] as const;

/** What mountinfo shows: words that must be there, and words that must not. Those of the file system itself are in its last column. */
interface Expected {
  readonly has?: string;
  readonly hasNot?: string;
  readonly superHas?: string;
  readonly superHasNot?: string;
}

const EFFECTS: Readonly<Record<string, Expected>> = {
  async: { superHasNot: 'sync' },
  atime: { hasNot: 'noatime' },
  defaults: { has: 'rw' },
  dev: { hasNot: 'nodev' },
  diratime: { hasNot: 'nodiratime' },
  dirsync: { superHas: 'dirsync' },
  exec: { hasNot: 'noexec' },
  iversion: {},
  lazytime: { superHas: 'lazytime' },
  loud: {},
  noatime: { has: 'noatime' },
  nodev: { has: 'nodev' },
  nodiratime: { has: 'nodiratime' },
  noexec: { has: 'noexec' },
  noiversion: {},
  nolazytime: { superHasNot: 'lazytime' },
  norelatime: {},
  nostrictatime: {},
  nosuid: { has: 'nosuid' },
  relatime: { has: 'relatime' },
  ro: { has: 'ro' },
  rw: { has: 'rw' },
  silent: {},
  strictatime: { hasNot: 'relatime' },
  suid: { hasNot: 'nosuid' },
  sync: { superHas: 'sync' },
};
/** Each has a test of its own, or is optional. */
const ELSEWHERE = ['bind', 'rbind', 'remount', 'mand', 'nomand', 'symfollow', 'nosymfollow'];

for (const option of MOUNT_FLAG_OPTIONS.filter((name) => !ELSEWHERE.includes(name))) {
  topic.test(`${option}: a tmpfs with ${option}`, COVERS, async (ground) => {
    const facts = await ground.probe(['mountinfo'], {
      'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [option] },
    });
    const { options, superOptions } = mountAt(facts.mounts(), '/mnt');
    const { has, hasNot, superHas, superHasNot } = EFFECTS[option] ?? {};
    const shown = `${options.join()} ${superOptions.join()}`;
    if (has !== undefined) assert.ok(options.includes(has), shown);
    if (hasNot !== undefined) assert.ok(!options.includes(hasNot), shown);
    if (superHas !== undefined) assert.ok(superOptions.includes(superHas), shown);
    if (superHasNot !== undefined) assert.ok(!superOptions.includes(superHasNot), shown);
  });
}

const BIND_EFFECTS = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime'];
for (const option of BIND_EFFECTS) {
  topic.test(`bind-${option}: a bind mount with ${option}`, COVERS, async (ground) => {
    const facts = await ground.probe(['mountinfo'], (bundle) => ({
      'mounts+': { destination: '/mnt', type: 'none', source: bundle.directory('data'), options: ['bind', option] },
    }));
    assert.ok(mountAt(facts.mounts(), '/mnt').options.includes(option), mountAt(facts.mounts(), '/mnt').options.join());
  });
}

topic.test('several: several options at once', COVERS, async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec', 'ro', 'noatime'] },
  });
  const { options } = mountAt(facts.mounts(), '/mnt');
  for (const option of ['nosuid', 'nodev', 'noexec', 'ro', 'noatime']) assert.ok(options.includes(option), options.join());
});

topic.test('last-wins: of two that contradict each other the last one counts', COVERS, async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'rw', 'exec', 'noexec'] },
  });
  const { options } = mountAt(facts.mounts(), '/mnt');
  assert.ok(options.includes('rw') && options.includes('noexec'), options.join());
});

topic.test('remount: remount changes the options of a mount', COVERS, async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': [
      { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['rw', 'nosuid'] },
      { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro', 'nosuid'] },
    ],
  });
  const mounts = facts.mounts().filter((mount) => mount.point === '/mnt');
  assert.equal(mounts.length, 1, 'there is a second mount');
  assert.ok(mounts[0]?.options.includes('ro'), mounts[0]?.options.join());
});

topic.test('ro-effect: nothing can be written to a read-only mount', COVERS, async (ground) => {
  const script = 'echo x >/mnt/f && echo written; true';
  assert.equal(await ground.sh(script, { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['ro'] } }), '');
});

topic.test('noexec-effect: nothing can be executed on a noexec mount', COVERS, async (ground) => {
  const script = 'cp() { cat $1 >$2; chmod 755 $2; }; cp /bin/busybox /mnt/true; /mnt/true 2>/dev/null && echo executed; true';
  assert.equal(await ground.sh(script, { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['noexec'] } }), '');
});

topic.test('nodev-effect: no device can be opened on a nodev mount', COVERS, async (ground) => {
  const script = 'mknod /mnt/null c 1 3; echo x >/mnt/null && echo opened; true';
  assert.equal(await ground.sh(script, { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nodev'] } }), '');
});

topic.test(
  'nosymfollow: symbolic links are not followed',
  ['config/mounts/symfollow'],
  async (ground) => {
    const script = 'echo x >/mnt/f; ln -s f /mnt/l; cat /mnt/l && echo followed; true';
    assert.equal(
      await ground.sh(script, { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nosymfollow'] } }),
      '',
    );
  },
  { since: '1.1.0' },
);

topic.test(
  'symfollow: symbolic links are followed',
  ['config/mounts/symfollow'],
  async (ground) => {
    const script = 'echo x >/mnt/f; ln -s f /mnt/l; cat /mnt/l';
    assert.equal(
      await ground.sh(script, { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['symfollow'] } }),
      'x',
    );
  },
  { since: '1.1.0' },
);

topic.test('data-size: options that are unknown go to the file system', ['config/mounts/unknown-options'], async (ground) => {
  const facts = await ground.probe(['mountinfo'], {
    'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'nr_inodes=100'] },
  });
  const { superOptions } = mountAt(facts.mounts(), '/mnt');
  assert.ok(superOptions.includes('size=64k') && superOptions.includes('nr_inodes=100'), superOptions.join());
});

topic.test('data-mode: the mode of a tmpfs is that of its options', ['config/mounts/unknown-options'], async (ground) => {
  const patch = { 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['mode=1751'] } };
  assert.equal(await ground.sh('stat -c %a /mnt', patch), '1751');
});

topic.test(
  'data-refused: data that the file system refuses are an error',
  ['config/mounts/unknown-options', 'runtime/lifecycle/environment-error', 'runtime/errors/no-trace'],
  (ground) => ground.refuse({ 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['no-such-option'] } }),
);
