import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MOUNT_PROPAGATION_OPTIONS } from '../../../specs/runtime/mounts.ts';
import type { Bundle } from '../../harness/bundle.ts';
import { runCommand } from '../../harness/command.ts';
import type { Ground } from '../../harness/ground.ts';
import { mountAt, parseMountInfo } from '../../harness/mount-info.ts';
import { Topic } from '../../harness/test-case.ts';

const propagation = new Topic('mounts/propagation');
const recursive = new Topic('mounts/recursive', { since: '1.1.0' });
const idmap = new Topic('mounts/idmap', { since: '1.2.0' });

const EXPECTED: Readonly<Record<string, RegExp>> = {
  private: /^$/,
  shared: /shared:\d+/,
  slave: /^$|master:\d+/,
  unbindable: /unbindable/,
};

/** A bundle with a directory `tree` that has a tmpfs at `tree/below`, mounted on the host until the test ends. */
async function treeBundle(ground: Ground): Promise<Bundle> {
  const bundle = ground.bundle();
  const below = bundle.directory('tree/below');
  const { status, stderr } = await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', below]);
  if (status !== 0) ground.notTestable(`the host cannot mount a tmpfs: ${stderr.trim()}`);
  mkdirSync(join(below, 'directory'));
  ground.atEnd(() => runCommand('umount', ['-l', below]));
  return bundle;
}

async function probeTree(ground: Ground, options: readonly string[]) {
  const bundle = await treeBundle(ground);
  bundle.configure({
    'process.args': ['probe', 'mountinfo'],
    'mounts+': { destination: '/mnt', type: 'none', source: join(bundle.path, 'tree'), options },
  });
  const { status, stdout, stderr } = await ground.run(bundle);
  if (status !== 0) throw new Error(stderr.trim());

  return parseMountInfo(JSON.parse(stdout).mountinfo);
}

for (const option of MOUNT_PROPAGATION_OPTIONS) {
  const plain = option.replace(/^r(?=private|shared|slave|unbindable)/, '');
  propagation.test(`${option}: a mount with ${option}`, ['config/mounts/propagation'], async (ground) => {
    const facts = await ground.probe(['mountinfo'], {
      'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [option] },
    });
    assert.match(mountAt(facts.mounts(), '/mnt').propagation.join(' '), EXPECTED[plain] ?? /never/);
  });
}

for (const option of ['rshared', 'runbindable', 'rprivate']) {
  propagation.test(`tree-${option}: ${option} reaches the mounts below`, ['config/mounts/propagation'], async (ground) => {
    const mounts = await probeTree(ground, ['rbind', option]);
    assert.match(mountAt(mounts, '/mnt/below').propagation.join(' '), EXPECTED[option.slice(1)] ?? /never/);
  });
}

recursive.test(
  'rbind: rbind takes the mounts below along',
  ['config/mounts/bind-by-option', 'config/mounts/options'],
  async (ground) => {
    assert.equal(mountAt(await probeTree(ground, ['rbind']), '/mnt/below').type, 'tmpfs');
  },
  { since: '1.0.0' },
);

recursive.test(
  'bind: bind does not take the mounts below along',
  ['config/mounts/bind-by-option', 'config/mounts/options'],
  async (ground) => {
    const mounts = await probeTree(ground, ['bind']);
    assert.equal(
      mounts.some((mount) => mount.point === '/mnt/below'),
      false,
    );
  },
  { since: '1.0.0' },
);

recursive.test(
  'rbind-ro: ro of an rbind is that of its first mount',
  ['config/mounts/options'],
  async (ground) => {
    const mounts = await probeTree(ground, ['rbind', 'ro']);
    assert.ok(mountAt(mounts, '/mnt').options.includes('ro'));
    assert.ok(mountAt(mounts, '/mnt/below').options.includes('rw'));
  },
  { since: '1.0.0' },
);

/** The option, and what both mounts of the tree then have; a leading `!` says that they have it not. */
const RECURSIVE: readonly (readonly [string, string])[] = [
  ['rro', 'ro'],
  ['rrw', 'rw'],
  ['rnosuid', 'nosuid'],
  ['rsuid', '!nosuid'],
  ['rnodev', 'nodev'],
  ['rdev', '!nodev'],
  ['rnoexec', 'noexec'],
  ['rexec', '!noexec'],
  ['rnodiratime', 'nodiratime'],
  ['rdiratime', '!nodiratime'],
  ['rnoatime', 'noatime'],
  ['rrelatime', 'relatime'],
  ['rstrictatime', '!relatime'],
];

for (const [option, expected] of RECURSIVE) {
  recursive.test(`${option}: ${option} reaches the mounts below`, ['config/mounts/recursive-options'], async (ground) => {
    const mounts = await probeTree(ground, ['rbind', option]);
    for (const point of ['/mnt', '/mnt/below']) {
      const { options } = mountAt(mounts, point);
      assert.equal(options.includes(expected.replace('!', '')), !expected.startsWith('!'), `${point} has ${options.join()}`);
    }
  });
}

for (const option of ['ratime', 'rnorelatime', 'rnostrictatime', 'rsymfollow', 'rnosymfollow']) {
  recursive.test(
    `${option}: ${option} is known`,
    ['config/mounts/recursive-options', ...(option.includes('sym') ? (['config/mounts/symfollow'] as const) : [])],
    async (ground) => {
      mountAt(await probeTree(ground, ['rbind', option]), '/mnt/below');
    },
  );
}

recursive.test('rro-effect: nothing can be written below an rro mount', ['config/mounts/recursive-options'], async (ground) => {
  const bundle = await treeBundle(ground);
  bundle.configure({
    'process.args': ['sh', '-c', 'echo x >/mnt/below/f && echo written; true'],
    'mounts+': { destination: '/mnt', type: 'none', source: join(bundle.path, 'tree'), options: ['rbind', 'rro'] },
  });
  const { status, stdout, stderr } = await ground.run(bundle);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '');
});

const MAPPINGS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const USER_NAMESPACE = {
  'linux.namespaces+': [{ type: 'user' }, { type: 'network' }],
  'linux.uidMappings': MAPPINGS,
  'linux.gidMappings': MAPPINGS,
};

async function idmapped(ground: Ground, mount: object, more: object = {}, probe = 'stat -c %u:%g /mnt/f'): Promise<string> {
  return ground.sh(probe, (bundle) => {
    bundle.file('data/f');
    return { ...more, 'mounts+': { destination: '/mnt', type: 'none', source: join(bundle.path, 'data'), ...mount } };
  });
}

idmap.test('mapped: files of a mapped mount have other owners', ['config/mounts/idmap', 'config/mounts/idmap-mappings'], async (ground) => {
  const mappings = [{ containerID: 0, hostID: 5000, size: 10 }];
  assert.equal(await idmapped(ground, { options: ['bind', 'idmap'], uidMappings: mappings, gidMappings: mappings }), '5000:5000');
});

idmap.test(
  'user-namespace: with the mappings of the container its root owns what the host’s root owns',
  ['config/mounts/idmap', 'config/mounts/idmap-mappings'],
  async (ground) => {
    // The root file system must be readable to the ids of the container.
    assert.equal(
      await idmapped(ground, { options: ['bind', 'idmap'], uidMappings: MAPPINGS, gidMappings: MAPPINGS }, USER_NAMESPACE),
      '0:0',
    );
  },
);

idmap.test('recursive: ridmap reaches the mounts below', ['config/mounts/idmap'], async (ground) => {
  const bundle = await treeBundle(ground);
  const mappings = [{ containerID: 0, hostID: 5000, size: 10 }];
  bundle.configure({
    'process.args': ['stat', '-c', '%u', '/mnt/below/directory'],
    'mounts+': {
      destination: '/mnt',
      type: 'none',
      source: join(bundle.path, 'tree'),
      options: ['rbind', 'ridmap'],
      uidMappings: mappings,
      gidMappings: mappings,
    },
  });
  const { stdout, stderr } = await ground.run(bundle);
  assert.equal(stdout, '5000\n', stderr);
});

for (const option of ['idmap', 'ridmap']) {
  idmap.test(
    `${option}-alone: ${option} without mappings or a user namespace is an error`,
    ['config/mounts/idmap-without-mappings', 'config/valid-values'],
    (ground) =>
      ground.refuse((bundle) => ({
        'mounts+': { destination: '/mnt', type: 'none', source: bundle.directory('data'), options: ['rbind', option] },
      })),
  );
}

for (const property of ['uidMappings', 'gidMappings']) {
  idmap.test(
    `only-${property.slice(0, 3)}: ${property} alone are an error`,
    ['config/mounts/idmap-both', 'config/valid-values'],
    (ground) =>
      ground.refuse((bundle) => ({
        'mounts+': {
          destination: '/mnt',
          type: 'none',
          source: bundle.directory('data'),
          options: ['bind', 'idmap'],
          [property]: MAPPINGS,
        },
      })),
  );
}

export const treeTests = [propagation, recursive, idmap].flatMap((topic) => topic.tests);
