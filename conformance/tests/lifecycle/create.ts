import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import type { Ground } from '../../harness/ground.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('lifecycle/create');
export const createTests = topic.tests;

topic.test(
  'creates: create makes a container',
  ['runtime/create/creates', 'runtime/operations/all', 'runtime/scope/same-caller'],
  async (ground) => {
    const container = await ground.create();
    assert.equal(await container.exists(), true);
  },
);

topic.test(
  'does-not-run: the program does not run before start',
  ['runtime/lifecycle/not-before-start', 'runtime/create/args-wait'],
  async (ground) => {
    const container = await ground.create({ 'process.args': ['sh', '-c', 'echo ran >/ran; echo ran'] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(existsSync(container.bundle.inside('ran')), false);
    assert.equal(container.output(), '');
    assert.equal(await container.status(), 'created');
  },
);

topic.test(
  'applies-environment: the environment is there before start',
  ['runtime/lifecycle/environment', 'runtime/create/applies-all'],
  async (ground) => {
    const container = await ground.create((bundle) => ({
      'mounts+': { destination: '/mnt/a', type: 'none', source: bundle.directory('a'), options: ['bind'] },
    }));
    assert.equal(existsSync(container.bundle.inside('mnt/a')), true);
    assert.equal(await container.status(), 'created');
  },
);

topic.test('without-arguments: create without an id is an error', ['runtime/create/arguments-required'], async (ground) => {
  const bundle = ground.bundle();
  assert.notEqual((await ground.invoke(['create', '--bundle', bundle.path])).status, 0);
});

topic.test(
  'without-bundle: create without a bundle, where none is the current directory, is an error',
  ['runtime/create/arguments-required'],
  async (ground) => {
    assert.notEqual((await ground.invoke(['create', ground.id()], { cwd: ground.root })).status, 0);
  },
);

topic.test('missing-bundle: a bundle that is not there is an error', ['runtime/create/cannot-apply'], async (ground) => {
  const id = ground.id();
  assert.notEqual((await ground.invoke(['create', '--bundle', join(ground.directory, 'nowhere'), id])).status, 0);
  assert.notEqual((await ground.invoke(['state', id])).status, 0);
});

topic.test(
  'missing-config: a bundle without a configuration is an error',
  ['runtime/create/cannot-apply', 'runtime/errors/no-trace'],
  async (ground) => {
    const bundle = ground.bundle();
    rmSync(join(bundle.path, 'config.json'));
    await ground.refuse(bundle);
  },
);

for (const [name, text] of [
  ['empty-config', ''],
  ['cut-config', '{"ociVersion": "1.0.0", "root": {'],
  ['list-config', '[]'],
]) {
  topic.test(
    `${name}: a configuration that is not a JSON object is an error`,
    ['runtime/create/cannot-apply', 'config/valid-values'],
    async (ground) => {
      const bundle = ground.bundle();
      writeFileSync(join(bundle.path, 'config.json'), text ?? '');
      await ground.refuse(bundle);
    },
  );
}

topic.test(
  'id-in-use-created: the id of a created container is refused, and the container goes on',
  ['runtime/create/id-in-use', 'runtime/state/id-unique', 'runtime/errors/no-trace'],
  async (ground) => {
    const first = await ground.create();
    const before = await first.state();
    const { result } = await ground.tryCreate({}, { id: first.id });
    assert.notEqual(result.status, 0);
    assert.deepEqual(await first.state(), before);
    await first.start();
    assert.equal(await first.status(), 'running');
  },
);

topic.test(
  'id-in-use-running: the id of a running container is refused, and the container goes on',
  ['runtime/create/id-in-use', 'runtime/state/id-unique', 'runtime/errors/no-trace'],
  async (ground) => {
    const first = await ground.start();
    const before = await first.state();
    const { result } = await ground.tryCreate({}, { id: first.id });
    assert.notEqual(result.status, 0);
    assert.deepEqual(await first.state(), before);
  },
);

topic.test(
  'id-in-use-stopped: the id of a stopped container is refused',
  ['runtime/create/id-in-use', 'runtime/state/id-unique'],
  async (ground) => {
    const first = await (await ground.start()).stop();
    const { result } = await ground.tryCreate({}, { id: first.id });
    assert.notEqual(result.status, 0);
    assert.equal(await first.status(), 'stopped');
  },
);

topic.test('id-again: the id of a deleted container can be used again', ['runtime/delete/resources'], async (ground) => {
  const first = await (await ground.start()).stop();
  await first.do('delete');
  const second = await ground.create({}, { id: first.id });
  assert.equal(await second.status(), 'created');
});

async function expectInvalidId(ground: Ground, id: string): Promise<void> {
  const bundle = ground.bundle();
  const { status } = await ground.invoke(['create', '--bundle', bundle.path, id], { outputFile: join(ground.directory, 'out') });
  if (status === 0) await ground.invoke(['delete', '--force', id]);
  assert.notEqual(status, 0, `the id ${JSON.stringify(id)} was accepted`);
}

for (const [name, id] of [
  ['id-with-slash', 'a/b'],
  ['id-parent', '..'],
  ['id-climbing', '../../../../tmp/conformance-escape'],
]) {
  topic.test(`${name}: an id that would be another path is refused`, ['runtime/create/id-invalid'], (ground) =>
    expectInvalidId(ground, id ?? ''),
  );
}

topic.test('id-empty: an empty id is refused', ['runtime/create/id-invalid', 'runtime/create/arguments-required'], (ground) =>
  expectInvalidId(ground, ''),
);

topic.test('relative-bundle: the default bundle is the current directory', ['runtime/create/creates'], async (ground) => {
  const bundle = ground.bundle();
  const id = ground.id();
  const { status, stderr } = await ground.invoke(['create', id], { cwd: bundle.path, outputFile: join(ground.directory, 'out') });
  assert.equal(status, 0, stderr);
});

topic.test('many: containers live side by side', ['runtime/state/id-unique', 'runtime/create/creates'], async (ground) => {
  const containers = await Promise.all([1, 2, 3].map(() => ground.start()));
  assert.equal(new Set(await Promise.all(containers.map((container) => container.pid()))).size, 3);
});

const FROZEN = ['runtime/lifecycle/config-frozen'] as const;

topic.test('frozen-args: a change of config.json between create and start does not change the program', FROZEN, async (ground) => {
  const container = await ground.create({ 'process.args': ['sh', '-c', 'echo first'] });
  container.bundle.configure({ 'process.args': ['sh', '-c', 'echo second'] });
  await container.start();
  assert.equal(await container.printed(/first|second/), 'first');
});

topic.test('frozen-annotations: a change of config.json does not change the state', FROZEN, async (ground) => {
  const container = await ground.create({ 'annotations/com.example.value': 'first' });
  container.bundle.configure({ 'annotations/com.example.value': 'second' });
  assert.equal((await container.state()).annotations?.['com.example.value'], 'first');
});

topic.test('frozen-removed: start, kill and delete work without config.json', FROZEN, async (ground) => {
  const container = await ground.create();
  rmSync(join(container.bundle.path, 'config.json'));
  await container.start();
  await container.stop();
  await container.do('delete');
});

topic.test('frozen-hooks: a poststop hook that is added after create does not run', FROZEN, async (ground) => {
  const container = await ground.start();
  const mark = join(container.bundle.path, 'mark');
  container.bundle.configure({ 'hooks.poststop': [{ path: '/bin/sh', args: ['sh', '-c', `echo ran >${mark}`] }] });
  await container.stop();
  await container.do('delete');
  assert.equal(existsSync(mark), false);
});

topic.test(
  'error-leaves-nothing: after a mount that fails nothing is left',
  ['runtime/lifecycle/environment-error', 'runtime/create/cannot-apply', 'runtime/errors/no-trace'],
  async (ground) => {
    await ground.refuse((bundle) => ({
      'mounts+': [
        { destination: '/mnt/good', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/mnt/bad', type: 'none', source: join(bundle.path, 'nowhere'), options: ['bind'] },
      ],
    }));
  },
);

topic.test('error-then-success: after an error the same id and bundle can be used', ['runtime/errors/no-trace'], async (ground) => {
  const bundle = ground.bundle({ 'mounts+': { destination: '/mnt/bad', type: 'no-such-file-system', source: 'none' } });
  const id = ground.id();
  await ground.refuse(bundle, { id });
  bundle.configure({});
  const container = await ground.create(bundle, { id });
  assert.equal(await container.status(), 'created');
});

topic.test('large-config: a configuration of 500 KB is read', ['runtime/create/creates'], async (ground) => {
  const annotations = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`com.example.key${index}`, 'v'.repeat(80)]));
  const bundle = ground.bundle({ annotations });
  assert.ok(stringifyJson(annotations).length > 400_000);
  mkdirSync(bundle.inside('etc'), { recursive: true });
  const container = await ground.create(bundle);
  assert.equal(Object.keys((await container.state()).annotations ?? {}).length, 5000);
});
