import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { CAPABILITY_NAMES } from '../../../specs/runtime/linux/capabilities.ts';
import { BASE_CAPABILITIES } from '../../harness/base-config.ts';
import type { Ground } from '../../harness/ground.ts';
import { Topic } from '../../harness/test-case.ts';

const user = new Topic('process/user');
const capabilities = new Topic('process/capabilities');
const privileges = new Topic('process/no-new-privileges');

const IDS = ['config/user/ids'] as const;

user.test('root: uid and gid 0', IDS, async (ground) => {
  const facts = await ground.probe(['status']);
  assert.equal(facts.status('Uid'), '0\t0\t0\t0');
  assert.equal(facts.status('Gid'), '0\t0\t0\t0');
});

user.test('ids: all four uids and gids are those of the user', IDS, async (ground) => {
  const facts = await ground.probe(['status'], { 'process.user': { uid: 1234, gid: 5678 } });
  assert.equal(facts.status('Uid'), '1234\t1234\t1234\t1234');
  assert.equal(facts.status('Gid'), '5678\t5678\t5678\t5678');
});

user.test('large-ids: ids above 16 bits', IDS, async (ground) => {
  const facts = await ground.probe(['status'], { 'process.user': { uid: 200_000, gid: 300_000 } });
  assert.equal(facts.status('Uid'), '200000\t200000\t200000\t200000');
});

user.test('groups: the additional groups are those of the list', IDS, async (ground) => {
  const facts = await ground.probe(['status'], { 'process.user': { uid: 1, gid: 2, additionalGids: [10, 20, 30] } });
  assert.deepEqual(
    facts
      .status('Groups')
      .split(' ')
      .filter((gid) => gid !== '2'),
    ['10', '20', '30'],
  );
});

user.test('no-groups: without a list there are no additional groups', IDS, async (ground) => {
  const facts = await ground.probe(['status'], { 'process.user': { uid: 1, gid: 2 } });
  assert.ok(['', '2'].includes(facts.status('Groups')), facts.status('Groups'));
});

user.test('many-groups: a hundred additional groups', IDS, async (ground) => {
  const additionalGids = Array.from({ length: 100 }, (_, index) => 1000 + index);
  const facts = await ground.probe(['status'], { 'process.user': { uid: 1, gid: 1, additionalGids } });
  assert.equal(
    facts
      .status('Groups')
      .split(' ')
      .filter((gid) => gid !== '1').length,
    100,
  );
});

user.test('cannot-read-roots: the user is bound by permissions', IDS, async (ground) => {
  const bundle = ground.bundle({
    'process.user': { uid: 1, gid: 1 },
    'process.capabilities': {},
    'process.args': ['sh', '-c', 'cat /etc/secret && echo read'],
  });
  bundle.file('rootfs/etc/secret', 'secret', 0o600);
  assert.doesNotMatch((await ground.run(bundle)).stdout, /read/);
});

user.test('created-files: files that the program makes are the user’s', IDS, async (ground) => {
  const bundle = ground.bundle({
    'process.user': { uid: 77, gid: 88 },
    'process.args': ['sh', '-c', 'touch /tmp/f; stat -c %u:%g /tmp/f'],
  });
  chmodSync(bundle.inside('tmp'), 0o1777);
  assert.equal((await ground.run(bundle)).stdout, '77:88\n');
});

for (const umask of ['0022', '0077', '0027', '0000']) {
  user.test(
    `umask-${umask}: the umask is the one of the user`,
    ['config/user/umask'],
    async (ground) => {
      const facts = await ground.probe(['status'], { 'process.user.umask': Number.parseInt(umask, 8) });
      assert.equal(facts.status('Umask'), umask);
    },
    { since: '1.0.2' },
  );
}

for (const [name, value] of [
  ['negative-uid', { uid: -1, gid: 0 }],
  ['text-uid', { uid: 'root', gid: 0 }],
] as const) {
  user.test(`${name}: a uid that is no id is an error`, ['config/valid-values'], (ground) =>
    ground.refuseProcess({ 'process.user': value }),
  );
}

const SETS = ['config/capabilities/sets'] as const;
const ROWS = { effective: 'CapEff', bounding: 'CapBnd', inheritable: 'CapInh', permitted: 'CapPrm', ambient: 'CapAmb' } as const;
const bit = (name: string) => 1n << BigInt((CAPABILITY_NAMES as readonly string[]).indexOf(name));
const maskOf = (names: readonly string[]) => names.reduce((mask, name) => mask | bit(name), 0n);
const KILL_CHOWN = ['CAP_KILL', 'CAP_CHOWN'];

capabilities.test('none: without capabilities the program has none', SETS, async (ground) => {
  const facts = await ground.probe(['status'], {
    'process.capabilities': { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
  });
  for (const row of Object.values(ROWS)) assert.equal(BigInt(`0x${facts.status(row)}`), 0n, row);
});

for (const [set, row] of Object.entries(ROWS)) {
  capabilities.test(`${set}: the ${set} set is the one of the list`, SETS, async (ground) => {
    const names = ['CAP_KILL', 'CAP_CHOWN', 'CAP_SETUID'];
    const others = Object.fromEntries(Object.keys(ROWS).map((name) => [name, [...BASE_CAPABILITIES]]));
    // An ambient capability must be permitted and inheritable; one that is permitted, or inherited, must be in the bounding set.
    const config = {
      ...others,
      ambient: set === 'ambient' ? names : [],
      [set]: names,
      ...(set === 'bounding' ? { permitted: names, effective: names, inheritable: names } : {}),
    };
    if (set === 'inheritable') config.ambient = [];
    if (set === 'permitted') config.effective = names;
    // Root has all of its bounding set after execve; another user has what is ambient.
    const asUser = set === 'ambient' || set === 'inheritable' || set === 'bounding';
    const facts = await ground.probe(['status'], { 'process.capabilities': config, 'process.user': { uid: asUser ? 1 : 0, gid: 0 } });
    const expected = set === 'effective' || set === 'permitted' ? maskOf(BASE_CAPABILITIES) : maskOf(names);
    assert.equal(BigInt(`0x${facts.status(row)}`), expected, `${row} is ${facts.status(row)}`);
  });
}

capabilities.test('root-bound: root has no more than its bounding set', SETS, async (ground) => {
  const facts = await ground.probe(['status'], {
    'process.capabilities': { bounding: KILL_CHOWN, permitted: KILL_CHOWN, effective: KILL_CHOWN },
  });
  for (const row of ['CapBnd', 'CapPrm', 'CapEff']) assert.equal(BigInt(`0x${facts.status(row)}`), maskOf(KILL_CHOWN), row);
});

capabilities.test('user-ambient: another user keeps ambient capabilities over execve', SETS, async (ground) => {
  const all = Object.fromEntries(Object.keys(ROWS).map((name) => [name, ['CAP_NET_BIND_SERVICE']]));
  const facts = await ground.probe(['status'], { 'process.capabilities': all, 'process.user': { uid: 1000, gid: 1000 } });
  for (const row of Object.values(ROWS)) assert.equal(BigInt(`0x${facts.status(row)}`), bit('CAP_NET_BIND_SERVICE'), row);
});

capabilities.test('user-plain: another user without ambient capabilities has none', SETS, async (ground) => {
  const facts = await ground.probe(['status'], { 'process.user': { uid: 1000, gid: 1000 } });
  assert.equal(BigInt(`0x${facts.status('CapEff')}`), 0n);
});

capabilities.test('effect-chown: without CAP_CHOWN root cannot give a file away', SETS, async (ground) => {
  const only = ['CAP_DAC_OVERRIDE'];
  const script = 'touch /tmp/f; chown 5 /tmp/f 2>/dev/null && echo changed || echo refused';
  assert.equal(await ground.sh(script, { 'process.capabilities': { bounding: only, permitted: only, effective: only } }), 'refused');
  assert.equal(await ground.sh(script), 'changed');
});

capabilities.test(
  'unknown: an unknown capability is no error',
  ['config/capabilities/unknown-warning', 'config/capabilities/not-granted', 'runtime/warnings/go-on'],
  async (ground) => {
    const names = [...KILL_CHOWN, 'CAP_NO_SUCH_THING'];
    const facts = await ground.probe(['status'], { 'process.capabilities': { bounding: names, permitted: names, effective: names } });
    assert.equal(BigInt(`0x${facts.status('CapEff')}`), maskOf(KILL_CHOWN));
  },
);

capabilities.test('unknown-warned: an unknown capability is warned of', ['config/capabilities/unknown-warning'], async (ground) => {
  const names = [...KILL_CHOWN, 'CAP_NO_SUCH_THING'];
  const { result } = await ground.tryCreate({ 'process.capabilities': { bounding: names, permitted: names, effective: names } });
  assert.match(result.stderr, /capab/i);
});

privileges.test('set: noNewPrivileges sets the bit', ['config/no-new-privileges'], async (ground) => {
  assert.equal((await ground.probe(['status'], { 'process.noNewPrivileges': true })).status('NoNewPrivs'), '1');
});

privileges.test('unset: without noNewPrivileges the bit is not set', ['config/no-new-privileges'], async (ground) => {
  assert.equal((await ground.probe(['status'])).status('NoNewPrivs'), '0');
});

/** busybox gives up what a set-user-id bit has given, but in its su, which says when it has gained nothing. */
async function runSetUidProgram(ground: Ground, noNewPrivileges: boolean): Promise<string> {
  const user = { uid: 1000, gid: 1000 };
  const bundle = ground.bundle({ 'process.args': ['/opt/su'], 'process.noNewPrivileges': noNewPrivileges, 'process.user': user });
  bundle.directory('rootfs/opt');
  copyFileSync(bundle.inside('bin/busybox'), bundle.inside('opt/su'));
  chmodSync(bundle.inside('opt/su'), 0o4755);
  return (await ground.run(bundle)).stderr;
}

privileges.test('set-uid: with noNewPrivileges a set-user-id program gains nothing', ['config/no-new-privileges'], async (ground) => {
  assert.doesNotMatch(await runSetUidProgram(ground, false), /must be suid/);
  assert.match(await runSetUidProgram(ground, true), /must be suid/);
});

export const identityTests = [user, capabilities, privileges].flatMap((topic) => topic.tests);
