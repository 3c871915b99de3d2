import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupsNamed } from '../../harness/cgroup-tree.ts';
import { hostMountsBelow } from '../../harness/mount-info.ts';
import { Topic } from '../../harness/test-case.ts';
import { until } from '../../harness/wait.ts';

const start = new Topic('lifecycle/start');
const kill = new Topic('lifecycle/kill');
const del = new Topic('lifecycle/delete');
export const startTests = start.tests;
export const killTests = kill.tests;
export const deleteTests = del.tests;

start.test(
  'runs: start runs the program',
  ['runtime/start/runs', 'runtime/lifecycle/run-program', 'runtime/operations/all'],
  async (ground) => {
    const container = await ground.start({ 'process.args': ['sh', '-c', 'echo ran'] });
    assert.equal(await container.printed(/./), 'ran');
  },
);

start.test('returns: start does not wait for the end of the program', ['runtime/start/runs'], async (ground) => {
  const container = await ground.start();
  assert.equal(await container.status(), 'running');
});

start.test('without-id: start without an id is an error', ['runtime/start/id-required'], async (ground) => {
  assert.notEqual((await ground.invoke(['start'])).status, 0);
});

start.test('unknown: start of an unknown container is an error', ['runtime/start/only-created'], async (ground) => {
  assert.notEqual((await ground.invoke(['start', ground.id()])).status, 0);
});

start.test(
  'twice: start of a running container is an error without effect',
  ['runtime/start/only-created', 'runtime/errors/no-trace'],
  async (ground) => {
    const container = await ground.start();
    const before = await container.state();
    await container.fail('start');
    assert.deepEqual(await container.state(), before);
  },
);

start.test(
  'stopped: start of a stopped container is an error without effect',
  ['runtime/start/only-created', 'runtime/errors/no-trace'],
  async (ground) => {
    const container = await ground.start({ 'process.args': ['sh', '-c', 'echo ran >>/tmp/runs'] });
    await container.waitFor('stopped');
    await container.fail('start');
    assert.equal(await container.status(), 'stopped');
    assert.equal(container.bundle.read('rootfs/tmp/runs'), 'ran\n');
  },
);

start.test('without-process: start of a container without a process is an error', ['runtime/start/process-required'], async (ground) => {
  const { container, result } = await ground.tryCreate({ process: undefined });
  if (result.status !== 0) return ground.expectGone(container);
  await container.fail('start');
});

start.test(
  'missing-program: a program that is not there is an error of create or start',
  ['runtime/lifecycle/environment-error', 'config/process/args'],
  (ground) => ground.refuseProcess({ 'process.args': ['no-such-program'] }),
);

start.test(
  'not-executable: a program that cannot be executed is an error of create or start',
  ['runtime/lifecycle/environment-error', 'config/process/args'],
  (ground) => {
    const bundle = ground.bundle({ 'process.args': ['/etc/text'] });
    bundle.file('rootfs/etc/text', 'text');
    return ground.refuseProcess(bundle);
  },
);

const SENDS = ['runtime/kill/sends', 'runtime/operations/all'] as const;

for (const signal of ['TERM', 'SIGUSR1', 'HUP', '10', '12', 'SIGINT']) {
  kill.test(`sends-${signal.toLowerCase()}: kill sends ${signal} to the program`, SENDS, async (ground) => {
    const traps = 'for s in TERM USR1 USR2 HUP INT; do trap "echo got $s; exit" $s; done; echo ready; while :; do usleep 20000; done';
    const container = await ground.start({ 'process.args': ['sh', '-c', traps] });
    await container.printed(/ready/);
    await container.do('kill', signal);
    const name = { 10: 'USR1', 12: 'USR2' }[signal] ?? signal.replace('SIG', '');
    assert.match(await container.printed(/got/), new RegExp(`got ${name}$`));
  });
}

kill.test('default-is-term: kill without a signal ends the program', SENDS, async (ground) => {
  const container = await ground.start({
    'process.args': ['sh', '-c', 'trap "echo got TERM; exit" TERM; echo ready; while :; do usleep 20000; done'],
  });
  await container.printed(/ready/);
  await container.do('kill');
  await container.printed(/got TERM/);
});

kill.test('kills: KILL ends a running container', SENDS, async (ground) => {
  await (await ground.start()).stop();
});

kill.test('kills-created: KILL ends a created container', SENDS, async (ground) => {
  await (await ground.create()).stop();
});

kill.test('without-id: kill without an id is an error', ['runtime/kill/id-required'], async (ground) => {
  assert.notEqual((await ground.invoke(['kill'])).status, 0);
});

kill.test('unknown: kill of an unknown container is an error', ['runtime/kill/only-alive'], async (ground) => {
  assert.notEqual((await ground.invoke(['kill', ground.id(), 'KILL'])).status, 0);
});

kill.test(
  'stopped: kill of a stopped container is an error without effect',
  ['runtime/kill/only-alive', 'runtime/errors/no-trace'],
  async (ground) => {
    const container = await (await ground.start()).stop();
    const before = await container.state();
    await container.fail('kill', 'KILL');
    assert.deepEqual(await container.state(), before);
  },
);

kill.test('unknown-signal: an unknown signal is an error, and the container goes on', ['runtime/errors/no-trace'], async (ground) => {
  const container = await ground.start();
  await container.fail('kill', 'NOSUCHSIGNAL');
  assert.equal(await container.status(), 'running');
});

del.test(
  'removes: delete of a stopped container leaves nothing',
  ['runtime/delete/resources', 'runtime/lifecycle/destroyed', 'runtime/operations/all'],
  async (ground) => {
    const container = await (await ground.start()).stop();
    await container.do('delete');
    await ground.expectGone(container);
  },
);

del.test('removes-cgroup: the cgroup of a container goes with it', ['runtime/delete/resources'], async (ground) => {
  const container = await ground.start();
  if (cgroupsNamed(container.id).length === 0) ground.notTestable('the runtime makes no cgroup that has the name of the container');
  await container.stop();
  await container.do('delete');
  assert.deepEqual(cgroupsNamed(container.id), []);
});

del.test('removes-mounts: no mount of a container is seen by the host', ['runtime/delete/resources'], async (ground) => {
  const container = await ground.start({ 'mounts+': { destination: '/mnt', type: 'tmpfs', source: 'tmpfs' } });
  assert.deepEqual(hostMountsBelow(container.bundle.path), []);
  await container.stop();
  await container.do('delete');
  assert.deepEqual(hostMountsBelow(container.bundle.path), []);
});

del.test('keeps-bundle: the bundle and its files stay', ['runtime/delete/not-others'], async (ground) => {
  const container = await ground.start({ 'process.args': ['sh', '-c', 'echo kept >/tmp/kept'] });
  await container.waitFor('stopped');
  await container.do('delete');
  assert.equal(container.bundle.read('rootfs/tmp/kept'), 'kept\n');
  assert.equal(existsSync(join(container.bundle.path, 'config.json')), true);
});

del.test('keeps-bind-source: what was bound into the container stays', ['runtime/delete/not-others'], async (ground) => {
  const container = await ground.start((bundle) => ({
    'mounts+': { destination: '/mnt', type: 'none', source: bundle.directory('data'), options: ['bind'] },
  }));
  writeFileSync(join(container.bundle.path, 'data/file'), 'kept');
  await container.stop();
  await container.do('delete');
  assert.equal(container.bundle.read('data/file'), 'kept');
});

del.test('keeps-others: another container goes on', ['runtime/delete/not-others'], async (ground) => {
  const other = await ground.start();
  const container = await (await ground.start()).stop();
  await container.do('delete');
  assert.equal(await other.status(), 'running');
});

del.test('without-id: delete without an id is an error', ['runtime/delete/id-required'], async (ground) => {
  assert.notEqual((await ground.invoke(['delete'])).status, 0);
});

del.test('unknown: delete of an unknown container is an error', ['runtime/delete/only-stopped'], async (ground) => {
  assert.notEqual((await ground.invoke(['delete', ground.id()])).status, 0);
});

del.test(
  'running: delete of a running container is an error without effect',
  ['runtime/delete/only-stopped', 'runtime/errors/no-trace'],
  async (ground) => {
    const container = await ground.start();
    const before = await container.state();
    await container.fail('delete');
    assert.deepEqual(await container.state(), before);
  },
);

del.test(
  'created: delete of a created container is an error without effect',
  ['runtime/delete/only-stopped', 'runtime/errors/no-trace'],
  async (ground) => {
    const container = await ground.create();
    const before = await container.state();
    await container.fail('delete');
    assert.deepEqual(await container.state(), before);
  },
);

del.test('force: delete --force ends a running container and removes it', ['runtime/delete/resources'], async (ground) => {
  const container = await ground.start();
  await container.do('delete', '--force');
  await ground.expectGone(container);
});

del.test(
  'processes: the processes of a container end with its first one',
  ['runtime/delete/resources', 'runtime/lifecycle/destroyed'],
  async (ground) => {
    const container = await ground.start({
      'process.args': ['sh', '-c', '(while :; do echo alive >/tmp/beat; usleep 20000; done) & sleep 1000'],
    });
    await until(() => existsSync(container.bundle.inside('tmp/beat')), 'the other process runs');
    await container.stop();
    await container.do('delete');
    await ground.expectGone(container);
  },
);
