import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('lifecycle/state');
export const stateTests = topic.tests;

topic.test('has-oci-version: the state names a version of the specification', ['runtime/state/oci-version'], async (ground) => {
  const container = await ground.create();
  assert.match((await container.state()).ociVersion, /^1\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/);
});

topic.test('has-id: the state has the id of create', ['runtime/state/id'], async (ground) => {
  const container = await ground.create();
  assert.equal((await container.state()).id, container.id);
});

topic.test('has-bundle: the state has the absolute path of the bundle', ['runtime/state/bundle'], async (ground) => {
  const container = await ground.create();
  assert.equal((await container.state()).bundle, container.bundle.path);
});

topic.test('has-absolute-bundle: a relative bundle is absolute in the state', ['runtime/state/bundle'], async (ground) => {
  const bundle = ground.bundle();
  const id = ground.id();
  const { status, stderr } = await ground.invoke(['create', '--bundle', relative(ground.directory, bundle.path), id], {
    cwd: ground.directory,
    outputFile: `${ground.directory}/out`,
  });
  assert.equal(status, 0, stderr);
  const { stdout } = await ground.invoke(['state', id]);
  assert.equal(JSON.parse(stdout).bundle, bundle.path);
});

topic.test('has-pid-created: a created container has a live process', ['runtime/state/pid'], async (ground) => {
  const container = await ground.create();
  process.kill(await container.pid(), 0);
});

topic.test('has-pid-running: a running container has a live process', ['runtime/state/pid'], async (ground) => {
  const container = await ground.start();
  process.kill(await container.pid(), 0);
});

topic.test('keeps-pid: the process of start is the one of create', ['runtime/state/pid', 'runtime/start/runs'], async (ground) => {
  const container = await ground.create();
  const before = await container.pid();
  await container.start();
  assert.equal(await container.pid(), before);
});

topic.test('has-annotations: the state has the annotations', ['runtime/state/annotations', 'config/annotations/map'], async (ground) => {
  const annotations = { 'com.example.one': '1', 'com.example.empty': '' };
  const container = await ground.create({ annotations });
  const state = await container.state();
  assert.equal(state.annotations?.['com.example.one'], '1');
  assert.equal(state.annotations?.['com.example.empty'], '');
});

topic.test('has-no-annotations: without annotations there are none, or an empty map', ['runtime/state/annotations'], async (ground) => {
  const state = await (await ground.create()).state();
  assert.deepEqual(state.annotations ?? {}, {});
});

topic.test('has-annotations-stopped: a stopped container still has its annotations', ['runtime/state/annotations'], async (ground) => {
  const container = await (await ground.start({ 'annotations/com.example.kept': 'yes' })).stop();
  assert.equal((await container.state()).annotations?.['com.example.kept'], 'yes');
});

const STATUS = ['runtime/state/status'] as const;

topic.test('created: after create the status is created', STATUS, async (ground) => {
  assert.equal(await (await ground.create()).status(), 'created');
});

topic.test('running: after start the status is running', STATUS, async (ground) => {
  assert.equal(await (await ground.start()).status(), 'running');
});

topic.test('stopped-by-exit: when the process has exited, the status is stopped', STATUS, async (ground) => {
  await (await ground.start({ 'process.args': ['true'] })).waitFor('stopped');
});

topic.test('stopped-by-failure: when the process has failed, the status is stopped', STATUS, async (ground) => {
  await (await ground.start({ 'process.args': ['false'] })).waitFor('stopped');
});

topic.test('stopped-by-signal: when the process was killed, the status is stopped', STATUS, async (ground) => {
  const container = await ground.start();
  process.kill(await container.pid(), 'SIGKILL');
  await container.waitFor('stopped');
});

topic.test('stopped-while-created: when init is killed before start, the status is stopped', STATUS, async (ground) => {
  const container = await ground.create();
  process.kill(await container.pid(), 'SIGKILL');
  await container.waitFor('stopped');
});

topic.test(
  'schema-created: the state of a created container follows the schema',
  ['runtime/state/schema', 'runtime/query-state/returns-state'],
  async (ground) => {
    await (await ground.create()).state();
  },
);

topic.test(
  'schema-running: the state of a running container follows the schema',
  ['runtime/state/schema', 'runtime/query-state/returns-state'],
  async (ground) => {
    await (await ground.start()).state();
  },
);

topic.test(
  'schema-stopped: the state of a stopped container follows the schema',
  ['runtime/state/schema', 'runtime/query-state/returns-state'],
  async (ground) => {
    await (await (await ground.start()).stop()).state();
  },
);

topic.test('extra-status: a paused container has a status of its own', ['runtime/state/status-extra'], async (ground) => {
  const container = await ground.start();
  const paused = await container.try('pause');
  if (paused.status !== 0) ground.notTestable(`the runtime cannot pause here: ${paused.stderr.trim()}`);
  const status = await container.status();
  await container.do('resume');
  assert.equal(['creating', 'created', 'stopped'].includes(status), false, `a paused container is said to be ${status}`);
});

topic.test('without-id: state without an id is an error', ['runtime/query-state/id-required', 'runtime/operations/all'], async (ground) => {
  assert.notEqual((await ground.invoke(['state'])).status, 0);
});

topic.test('unknown: the state of an unknown container is an error', ['runtime/query-state/unknown'], async (ground) => {
  const { status, stderr } = await ground.invoke(['state', ground.id()]);
  assert.notEqual(status, 0);
  assert.notEqual(stderr.trim(), '');
});

topic.test('unknown-deleted: the state of a deleted container is an error', ['runtime/query-state/unknown'], async (ground) => {
  const container = await (await ground.start()).stop();
  await container.do('delete');
  await container.fail('state');
});
