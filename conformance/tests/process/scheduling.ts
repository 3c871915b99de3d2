import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { Topic } from '../../harness/test-case.ts';

const scheduler = new Topic('process/scheduler', { since: '1.1.0' });
const ioPriority = new Topic('process/io-priority', { since: '1.1.0' });
const personality = new Topic('process/personality');

/** The fields of proc_pid_stat(5), and the kernel's numbers of policies: sched(7). */
const NICE = 19;
const POLICY = 41;
const POLICIES = { SCHED_OTHER: '0', SCHED_BATCH: '3', SCHED_IDLE: '5' } as const;
const COVERS = ['config/scheduler'] as const;

for (const [policy, number] of Object.entries(POLICIES)) {
  scheduler.test(`${policy.slice(6).toLowerCase()}: the policy is ${policy}`, COVERS, async (ground) => {
    assert.equal((await ground.probe(['stat'], { 'process.scheduler': { policy } })).stat(POLICY), number);
  });
}

for (const nice of [5, 19]) {
  scheduler.test(`nice-${nice}: the nice value is ${nice}`, COVERS, async (ground) => {
    const facts = await ground.probe(['stat'], { 'process.scheduler': { policy: 'SCHED_OTHER', nice } });
    assert.equal(facts.stat(NICE), String(nice));
  });
}

scheduler.test('nice-batch: SCHED_BATCH has a nice value too', COVERS, async (ground) => {
  const facts = await ground.probe(['stat'], { 'process.scheduler': { policy: 'SCHED_BATCH', nice: 7 } });
  assert.deepEqual([facts.stat(POLICY), facts.stat(NICE)], ['3', '7']);
});

scheduler.test('reset-on-fork: with the flag a child has the default policy', COVERS, async (ground) => {
  // A child that reset-on-fork has reached no longer has the policy of its parent.
  const patch = { 'process.scheduler': { policy: 'SCHED_BATCH', flags: ['SCHED_FLAG_RESET_ON_FORK'] } };
  const script = 'sed "s/.*) //" /proc/$$/stat | cut -d " " -f 39; sh -c "exec sed \'s/.*) //\' /proc/self/stat" | cut -d " " -f 39';
  assert.equal(await ground.sh(script, patch), '3\n3');
});

scheduler.test('unset: without the property the policy is the ordinary one', COVERS, async (ground) => {
  const facts = await ground.probe(['stat']);
  // The nice value is inherited.
  assert.deepEqual([facts.stat(POLICY), facts.stat(NICE)], ['0', String(getPriority())]);
});

for (const [name, value] of [
  ['unknown-policy', { policy: 'SCHED_NO_SUCH' }],
  ['no-policy', { nice: 1 }],
  ['unknown-flag', { policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_NO_SUCH'] }],
  ['nice-too-great', { policy: 'SCHED_OTHER', nice: 30 }],
  ['priority-of-other', { policy: 'SCHED_OTHER', priority: 10 }],
  ['fifo-without-priority', { policy: 'SCHED_FIFO' }],
] as const) {
  scheduler.test(`${name}: ${JSON.stringify(value)} is an error`, ['config/scheduler', 'config/valid-values'], (ground) =>
    ground.refuseProcess({ 'process.scheduler': value }),
  );
}

for (const [name, value, expected] of [
  ['best-effort', { class: 'IOPRIO_CLASS_BE', priority: 6 }, 'best-effort: prio 6'],
  ['best-effort-first', { class: 'IOPRIO_CLASS_BE', priority: 0 }, 'best-effort: prio 0'],
  ['idle', { class: 'IOPRIO_CLASS_IDLE', priority: 0 }, 'idle'],
] as const) {
  ioPriority.test(`${name}: the I/O priority is ${expected}`, ['config/io-priority'], async (ground) => {
    assert.equal(
      (await ground.sh('ionice -p $$', { 'process.ioPriority': value })).replace('idle: prio 0', 'idle').replace(/^idle.*/, 'idle'),
      expected,
    );
  });
}

for (const [name, value] of [
  ['unknown-class', { class: 'IOPRIO_CLASS_NO_SUCH', priority: 0 }],
  ['priority-too-great', { class: 'IOPRIO_CLASS_BE', priority: 9 }],
] as const) {
  ioPriority.test(`${name}: ${JSON.stringify(value)} is an error`, ['config/io-priority', 'config/valid-values'], (ground) =>
    ground.refuseProcess({ 'process.ioPriority': value }),
  );
}

personality.test(
  'linux32: the domain LINUX32 shows a 32-bit machine',
  ['linux/personality'],
  async (ground) => {
    assert.match(await ground.sh('uname -m', { 'linux.personality': { domain: 'LINUX32' } }), /^(i[3-6]86|armv[78]l|armv8.*)$/);
  },
  { needs: [{ what: 'an x86-64 or arm64 host', met: () => ['x64', 'arm64'].includes(process.arch) }] },
);

personality.test('linux: the domain LINUX shows the machine', ['linux/personality'], async (ground) => {
  assert.match(await ground.sh('uname -m', { 'linux.personality': { domain: 'LINUX' } }), /64|s390x/);
});

personality.test('unknown: an unknown domain is an error', ['linux/personality', 'config/valid-values'], (ground) =>
  ground.refuseProcess({ 'linux.personality': { domain: 'LINUX16' } }),
);

export const schedulingTests = [scheduler, ioPriority, personality].flatMap((topic) => topic.tests);
