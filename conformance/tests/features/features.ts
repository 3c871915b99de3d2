import assert from 'node:assert/strict';
import { Features, type LinuxFeatures } from '../../../specs/runtime/features.ts';
import { HOOK_NAMES } from '../../../specs/runtime/hooks.ts';
import { CAPABILITY_NAMES } from '../../../specs/runtime/linux/capabilities.ts';
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from '../../../specs/runtime/linux/memory-policy.ts';
import { NAMESPACE_TYPES } from '../../../specs/runtime/linux/namespaces.ts';
import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../../../specs/runtime/linux/seccomp.ts';
import { MOUNT_FLAG_OPTIONS, MOUNT_PROPAGATION_OPTIONS } from '../../../specs/runtime/mounts.ts';
import { describeProblem } from '../../../specs/schema/problem.ts';
import { validate } from '../../../specs/schema/validate.ts';
import type { Ground } from '../../harness/ground.ts';
import { Topic } from '../../harness/test-case.ts';
import { compareVersions } from '../../harness/version.ts';
import type { RequirementId } from '../../requirements/all.ts';

const topic = new Topic('features/structure');
export const featureTests = topic.tests;

function featuresOf(ground: Ground): Features {
  const { features } = ground.runtime;
  if (features === undefined) ground.notTestable('the runtime has no features command');
  const checked = validate(Features, structuredClone(features));
  if (!checked.valid) throw new Error(checked.errors.map(describeProblem).join('; '));
  return checked.value;
}

/** A list of the structure; what is absent or null says nothing, and cannot be tested. */
function listOf(ground: Ground, name: string, list: readonly string[] | undefined): readonly string[] {
  return list ?? ground.notTestable(`the runtime says nothing of ${name}`);
}

const linuxOf = (ground: Ground): LinuxFeatures => featuresOf(ground).linux ?? ground.notTestable('the runtime says nothing of Linux');

topic.test('schema: the structure follows the schema', ['features/null-is-not-empty'], async (ground) => {
  featuresOf(ground);
});

topic.test('prints-json: the command prints one JSON object and succeeds', ['features/only-defined'], async (ground) => {
  featuresOf(ground);
  const { status, stdout } = await ground.invoke(['features']);
  assert.equal(status, 0);
  assert.equal(typeof JSON.parse(stdout), 'object');
});

topic.test('only-defined: there are no unknown properties', ['features/only-defined'], async (ground) => {
  featuresOf(ground);
  const checked = validate(Features, structuredClone(ground.runtime.features));
  assert.deepEqual(checked.warnings.map(describeProblem), []);
});

topic.test('version-order: the greatest version is not less than the least', ['features/version-order'], async (ground) => {
  const { ociVersionMin, ociVersionMax } = featuresOf(ground);
  assert.ok(compareVersions(ociVersionMin, ociVersionMax) <= 0, `${ociVersionMin} … ${ociVersionMax}`);
});

topic.test('version-min: the least version is accepted', ['features/version-min-accepted'], async (ground) => {
  assert.equal(await ground.sh('echo ran', { ociVersion: featuresOf(ground).ociVersionMin }), 'ran');
});

topic.test('version-max: the greatest version is accepted', ['features/version-max-accepted'], async (ground) => {
  assert.equal(await ground.sh('echo ran', { ociVersion: featuresOf(ground).ociVersionMax }), 'ran');
});

topic.test('annotations: annotations are strings by non-empty keys', ['features/annotations'], async (ground) => {
  for (const [key, value] of Object.entries(featuresOf(ground).annotations ?? {})) assert.ok(key !== '' && typeof value === 'string', key);
});

/** Every name of a list must be one that the specification knows. */
function checkKnown(
  name: string,
  covers: readonly RequirementId[],
  pick: (ground: Ground) => readonly string[] | undefined,
  known: readonly string[],
): void {
  topic.test(`${name}-known: ${name} lists names of the specification`, covers, async (ground) => {
    const list = listOf(ground, name, pick(ground));
    assert.deepEqual(
      list.filter((entry) => !known.includes(entry)),
      [],
    );
    assert.equal(new Set(list).size, list.length, 'a name is there twice');
  });
}

checkKnown('hooks', ['features/hooks'], (ground) => featuresOf(ground).hooks, HOOK_NAMES);
checkKnown('namespaces', ['features-linux/namespaces'], (ground) => linuxOf(ground).namespaces, NAMESPACE_TYPES);
checkKnown('seccomp-actions', ['features-linux/seccomp-actions'], (ground) => linuxOf(ground).seccomp?.actions, SECCOMP_ACTIONS);
checkKnown('seccomp-operators', ['features-linux/seccomp-operators'], (ground) => linuxOf(ground).seccomp?.operators, SECCOMP_OPERATORS);
checkKnown('seccomp-archs', ['features-linux/seccomp-archs'], (ground) => linuxOf(ground).seccomp?.archs, SECCOMP_ARCHITECTURES);
checkKnown('seccomp-flags', ['features-linux/seccomp-known-flags'], (ground) => linuxOf(ground).seccomp?.knownFlags, SECCOMP_FLAGS);
checkKnown(
  'memory-policy-modes',
  ['features-linux/memory-policy-modes'],
  (ground) => linuxOf(ground).memoryPolicy?.modes,
  MEMORY_POLICY_MODES,
);
checkKnown(
  'memory-policy-flags',
  ['features-linux/memory-policy-flags'],
  (ground) => linuxOf(ground).memoryPolicy?.flags,
  MEMORY_POLICY_FLAGS,
);

topic.test('hooks-run: every hook that is listed runs', ['features/hooks'], async (ground) => {
  const hooks = listOf(ground, 'hooks', featuresOf(ground).hooks);
  const container = await ground.start((bundle) => ({
    'process.args': ['true'],
    'mounts+': { destination: '/log', type: 'none', source: bundle.directory('log'), options: ['bind'] },
    hooks: Object.fromEntries(
      hooks.map((name) => [
        name,
        [{ path: '/bin/sh', args: ['sh', '-c', `echo ran >${name === 'startContainer' ? '/log' : `${bundle.path}/log`}/${name}`] }],
      ]),
    ),
  }));
  await container.waitFor('stopped');
  await container.do('delete');
  for (const name of hooks) assert.equal(container.bundle.read(`log/${name}`), 'ran\n');
});

topic.test('mount-options-must: every option that is asked of runtimes is listed', ['features/mount-options'], async (ground) => {
  const options = listOf(ground, 'mount options', featuresOf(ground).mountOptions);
  const asked = [...MOUNT_FLAG_OPTIONS, ...MOUNT_PROPAGATION_OPTIONS].filter(
    (name) => !['mand', 'nomand', 'symfollow', 'nosymfollow'].includes(name),
  );
  assert.deepEqual(
    asked.filter((name) => !options.includes(name)),
    [],
  );
});

topic.test('mount-options-data: options of file systems are not listed', ['features/mount-options-not-data'], async (ground) => {
  const options = listOf(ground, 'mount options', featuresOf(ground).mountOptions);
  assert.deepEqual(
    options.filter((name) => /=|^(size|mode|uid|gid|lowerdir|newinstance|ptmxmode|nr_inodes)$/.test(name)),
    [],
  );
});

topic.test(
  'mount-options-recognized: each option that is listed can be used on a tmpfs or a bind mount',
  ['features/mount-options'],
  async (ground) => {
    const options = listOf(ground, 'mount options', featuresOf(ground).mountOptions);
    // These need more than themselves, or are extensions of the runtime.
    const skipped = [
      'remount',
      'idmap',
      'ridmap',
      'mand',
      'nomand',
      'copy-symlink',
      'src-nofollow',
      'dest-nofollow',
      'acl',
      'noacl',
      'bind',
      'rbind',
    ];
    const plain = options.filter((name) => !skipped.includes(name));
    await ground.sh('true', (bundle) => ({
      'mounts+': plain.map((name, index) => {
        const tree = /^r(?!o$|w$|elatime$)/.test(name);
        const source = tree ? bundle.directory(`d${index}`) : 'tmpfs';
        return { destination: `/mnt/${index}`, type: 'tmpfs', source, options: tree ? ['rbind', name] : [name] };
      }),
    }));
  },
);

topic.test(
  'capabilities-recognized: every capability that is listed is one of the kernel’s',
  ['features-linux/capabilities'],
  async (ground) => {
    const names = listOf(ground, 'capabilities', linuxOf(ground).capabilities);
    assert.deepEqual(
      names.filter((name) => !(CAPABILITY_NAMES as readonly string[]).includes(name)),
      [],
    );
  },
);

topic.test(
  'seccomp-archs-recognized: each architecture that is listed can be in a profile',
  ['features-linux/seccomp-archs'],
  async (ground) => {
    const architectures = listOf(ground, 'seccomp architectures', linuxOf(ground).seccomp?.archs);
    const native = process.arch === 'x64' ? ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] : ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'];
    const both = architectures.filter((name) => native.includes(name));
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: both,
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    };
    assert.equal(await ground.sh('mkdir /tmp/a 2>/dev/null || echo refused', { 'linux.seccomp': profile }), 'refused');
  },
);

topic.test(
  'seccomp-flags-work: each flag that is said to be supported works',
  ['features-linux/seccomp-supported-flags'],
  async (ground) => {
    const flags = listOf(ground, 'supported seccomp flags', linuxOf(ground).seccomp?.supportedFlags);
    // The last one has a meaning only with a listener.
    for (const flag of flags.filter((name) => name !== 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV')) {
      const profile = {
        defaultAction: 'SCMP_ACT_ALLOW',
        flags: [flag],
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
      };
      assert.equal(await ground.sh('mkdir /tmp/a 2>/dev/null || echo refused', { 'linux.seccomp': profile }), 'refused', flag);
    }
  },
);

topic.test('idmap: what it says of mappings is so', ['features-linux/idmap'], async (ground) => {
  const idmap = linuxOf(ground).mountExtensions?.idmap?.enabled ?? ground.notTestable('the runtime says nothing of mappings of mounts');
  const mappings = [{ containerID: 0, hostID: 5000, size: 10 }];
  const out = await ground.sh('stat -c %u /mnt', (bundle) => ({
    'mounts+': {
      destination: '/mnt',
      type: 'none',
      source: bundle.directory('data'),
      options: ['bind', 'idmap'],
      uidMappings: mappings,
      gidMappings: mappings,
    },
  }));
  assert.equal(out === '5000', idmap);
});
