import assert from 'node:assert/strict';
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { HOOK_NAMES, type HookName } from '../../../specs/runtime/hooks.ts';
import { State } from '../../../specs/runtime/state.ts';
import { validate } from '../../../specs/schema/validate.ts';
import type { Bundle } from '../../harness/bundle.ts';
import type { Container } from '../../harness/container.ts';
import type { Ground } from '../../harness/ground.ts';
import type { ConfigPatch } from '../../harness/patch.ts';
import { Topic } from '../../harness/test-case.ts';
import type { RequirementId } from '../../requirements/all.ts';

const topic = new Topic('lifecycle/hooks');
export const hookTests = topic.tests;

/** Hooks of all kinds write into one directory of the bundle, which the container has as /log. */
const LOG = 'log';
const SPOKEN: Readonly<Record<HookName, string>> = {
  prestart: 'prestart',
  createRuntime: 'create-runtime',
  createContainer: 'create-container',
  startContainer: 'start-container',
  poststart: 'poststart',
  poststop: 'poststop',
};
const lifecycleOf = (name: HookName) => `runtime/lifecycle/${SPOKEN[name]}` as RequirementId;
const whenOf = (name: HookName) => `config/hooks/${SPOKEN[name]}-when` as RequirementId;
const whereOf = (name: HookName) => `config/hooks/${SPOKEN[name]}-where` as RequirementId;

/** A hook that runs a script, with the log directory as `$1`: what it is called differs in the container. */
function hook(bundle: Bundle, name: HookName, script: string): object {
  const log = name === 'startContainer' ? '/log' : bundle.directory(LOG);
  return { path: '/bin/sh', args: ['sh', '-c', script, 'sh', log], env: ['PATH=/usr/bin:/bin:/usr/sbin:/sbin'] };
}

function withHooks(bundle: Bundle, scripts: Partial<Record<HookName, readonly string[]>>, more: ConfigPatch = {}): ConfigPatch {
  const mount = { destination: '/log', type: 'none', source: bundle.directory(LOG), options: ['bind'] };
  const lists = Object.entries(scripts).map(([name, list]) => [
    `hooks.${name}`,
    list.map((script) => hook(bundle, name as HookName, script)),
  ]);
  return { 'mounts+': mount, ...Object.fromEntries(lists), ...more };
}

const logOf = (container: Container, file = 'order') =>
  existsSync(join(container.bundle.path, LOG, file)) ? container.bundle.read(`${LOG}/${file}`) : '';

async function wholeLife(
  ground: Ground,
  scripts: Partial<Record<HookName, readonly string[]>>,
  more: ConfigPatch = {},
): Promise<Container> {
  const container = await ground.start((bundle) => withHooks(bundle, scripts, more));
  await container.waitFor('stopped');
  await container.do('delete');
  return container;
}

const PROGRAM = { 'process.args': ['sh', '-c', 'echo program >>/log/order'] };

for (const name of HOOK_NAMES) {
  topic.test(`${SPOKEN[name]}-runs: ${name} hooks run`, [lifecycleOf(name)], async (ground) => {
    assert.equal(logOf(await wholeLife(ground, { [name]: ['echo ran >>$1/order'] }, { 'process.args': ['true'] })), 'ran\n');
  });

  topic.test(`${SPOKEN[name]}-order: ${name} hooks run in the order of the list`, ['config/hooks/order', whenOf(name)], async (ground) => {
    const scripts = ['sleep 0.1; echo 1 >>$1/order', 'echo 2 >>$1/order', 'echo 3 >>$1/order'];
    assert.equal(logOf(await wholeLife(ground, { [name]: scripts }, { 'process.args': ['true'] })), '1\n2\n3\n');
  });

  topic.test(`${SPOKEN[name]}-state: ${name} hooks read the state`, ['config/hooks/state-on-stdin'], async (ground) => {
    const container = await wholeLife(
      ground,
      { [name]: ['cat >$1/state'] },
      { 'annotations/com.example.a': 'b', 'process.args': ['true'] },
    );
    const checked = validate(State, JSON.parse(logOf(container, 'state')));
    assert.equal(checked.valid, true, checked.valid ? '' : JSON.stringify(checked.errors));
    if (!checked.valid) return;
    assert.equal(checked.value.id, container.id);
    assert.equal(checked.value.bundle, container.bundle.path);
    assert.equal(checked.value.annotations?.['com.example.a'], 'b');
  });
}

topic.test('whole-order: all kinds of hooks and the program run in the order of the lifecycle', HOOK_NAMES.map(whenOf), async (ground) => {
  const scripts = Object.fromEntries(HOOK_NAMES.map((name) => [name, [`echo ${name} >>$1/order`]]));
  const container = await wholeLife(ground, scripts, PROGRAM);
  const lines = logOf(container).trim().split('\n');
  // The program and poststart run at the same time.
  assert.deepEqual(
    lines.filter((line) => line !== 'program'),
    HOOK_NAMES,
  );
  assert.ok(lines.indexOf('program') > lines.indexOf('startContainer'));
});

topic.test(
  'in-create: prestart, createRuntime and createContainer hooks run in create, the others do not',
  ['config/hooks/prestart-when', 'config/hooks/create-runtime-when', 'config/hooks/create-container-when'],
  async (ground) => {
    const scripts = Object.fromEntries(HOOK_NAMES.map((name) => [name, [`echo ${name} >>$1/order`]]));
    const container = await ground.create((bundle) => withHooks(bundle, scripts));
    assert.equal(logOf(container), 'prestart\ncreateRuntime\ncreateContainer\n');
  },
);

topic.test('in-start: startContainer hooks run in start, before the program', ['config/hooks/start-container-when'], async (ground) => {
  const container = await wholeLife(ground, { startContainer: ['sleep 0.1; echo hook >>$1/order'] }, PROGRAM);
  assert.equal(logOf(container), 'hook\nprogram\n');
});

topic.test('before-start-returns: poststart hooks have run when start returns', ['config/hooks/poststart-when'], async (ground) => {
  const container = await ground.start((bundle) => withHooks(bundle, { poststart: ['sleep 0.3; echo hook >>$1/order'] }));
  assert.equal(logOf(container), 'hook\n');
});

topic.test(
  'poststart-after-program: poststart hooks see the program executed',
  ['config/hooks/poststart-when', 'runtime/lifecycle/poststart'],
  async (ground) => {
    const script =
      'pid=$(sed "s/.*\\"pid\\" *: *\\([0-9]*\\).*/\\1/" | tr -d "\\n ,{}"); pid=$(echo $pid | grep -o "[0-9]*" | head -n 1); tr "\\0" " " </proc/$pid/cmdline >$1/cmdline';
    const container = await ground.start((bundle) => withHooks(bundle, { poststart: [`tr -d '\\n' | { ${script}; }`] }));
    assert.equal(logOf(container, 'cmdline').trim(), 'sleep 1000');
  },
);

topic.test('poststop-after-delete: poststop hooks run when the container is gone', ['config/hooks/poststop-when'], async (ground) => {
  const container = await ground.start((bundle) => withHooks(bundle, { poststop: ['echo hook >>$1/order'] }));
  await container.stop();
  assert.equal(logOf(container), '');
  await container.do('delete');
  assert.equal(logOf(container), 'hook\n');
});

const RUNTIME_HOOKS = ['prestart', 'createRuntime', 'poststart', 'poststop'] as const;
const LINKS = 'for n in mnt uts ipc; do readlink /proc/$$/ns/$n; done >$1/namespaces';
const own = () => ['mnt', 'uts', 'ipc'].map((name) => readlinkSync(`/proc/self/ns/${name}`)).join('\n');

for (const name of RUNTIME_HOOKS) {
  topic.test(`${SPOKEN[name]}-namespaces: ${name} hooks run in the namespaces of the runtime`, [whereOf(name)], async (ground) => {
    const container = await wholeLife(ground, { [name]: [LINKS] }, { 'process.args': ['true'] });
    assert.equal(logOf(container, 'namespaces').trim(), own());
  });
}

for (const name of ['createContainer', 'startContainer'] as const) {
  topic.test(`${SPOKEN[name]}-namespaces: ${name} hooks run in the namespaces of the container`, [whereOf(name)], async (ground) => {
    // The host's /proc shows the hook as the host numbers it: the mount namespace is compared by what the container says of itself.
    const script = name === 'startContainer' ? LINKS : 'for n in mnt uts ipc; do readlink /proc/self/ns/$n; done >$1/namespaces';
    const args = ['sh', '-c', 'for n in mnt uts ipc; do readlink /proc/$$/ns/$n; done >/log/program'];
    const container = await wholeLife(ground, { [name]: [script] }, { 'process.args': args });
    assert.equal(logOf(container, 'namespaces'), logOf(container, 'program'));
  });
}

topic.test(
  'start-container-root: startContainer hooks are found in the root of the container',
  ['config/hooks/start-container-where'],
  async (ground) => {
    const bundle = ground.bundle();
    bundle.file('rootfs/etc/only-inside', 'inside');
    bundle.configure(withHooks(bundle, { startContainer: ['cat /etc/only-inside >$1/order'] }));
    assert.equal(logOf(await ground.start(bundle)), 'inside');
  },
);

topic.test(
  'create-container-mounts: createContainer hooks see the mounts below the root file system',
  ['config/hooks/create-container-when'],
  async (ground) => {
    const container = await ground.create((bundle) =>
      withHooks(bundle, { createContainer: [`test -e ${bundle.inside('proc/self/status')} && echo mounted >$1/order; true`] }),
    );
    assert.equal(logOf(container), 'mounted\n');
  },
);

topic.test(
  'create-runtime-before-pivot: createRuntime hooks are called before the root is changed',
  ['config/hooks/create-runtime-when', 'config/hooks/prestart-when'],
  async (ground) => {
    const script =
      'pid=$(tr -d "\\n" | sed "s/.*\\"pid\\" *: *//" | grep -o "^[0-9]*"); readlink /proc/$pid/ns/uts >$1/uts; test -e "/proc/$pid/root$2" && echo host >$1/order; true';
    const container = await ground.create((bundle) => {
      const patch = withHooks(bundle, { createRuntime: [script] });
      const [entry] = patch['hooks.createRuntime'] as { args: string[] }[];
      entry?.args.push(bundle.path);
      return patch;
    });
    assert.equal(logOf(container), 'host\n');
    assert.notEqual(logOf(container, 'uts').trim(), readlinkSync('/proc/self/ns/uts'));
  },
);

for (const name of ['prestart', 'createRuntime', 'createContainer'] as const) {
  topic.test(
    `${SPOKEN[name]}-fails: a ${name} hook that fails is an error of create, and nothing is left`,
    [`${lifecycleOf(name)}-failure` as RequirementId, 'runtime/errors/no-trace'],
    async (ground) => {
      await ground.refuse((bundle) => withHooks(bundle, { [name]: ['exit 3'] }));
    },
  );

  topic.test(
    `${SPOKEN[name]}-fails-poststop: after a ${name} hook that fails the poststop hooks run`,
    [`${lifecycleOf(name)}-failure` as RequirementId, 'runtime/lifecycle/poststop'],
    async (ground) => {
      const { container, result } = await ground.tryCreate((bundle) =>
        withHooks(bundle, { [name]: ['exit 3'], poststop: ['echo poststop >>$1/order'] }),
      );
      assert.notEqual(result.status, 0);
      assert.equal(logOf(container), 'poststop\n');
    },
  );

  topic.test(
    `${SPOKEN[name]}-fails-others: after a ${name} hook that fails the next one does not run`,
    [`${lifecycleOf(name)}-failure` as RequirementId, 'config/hooks/order'],
    async (ground) => {
      const { container, result } = await ground.tryCreate((bundle) => withHooks(bundle, { [name]: ['exit 3', 'echo second >>$1/order'] }));
      assert.notEqual(result.status, 0);
      assert.equal(logOf(container), '');
    },
  );
}

topic.test(
  'start-container-fails: a startContainer hook that fails is an error of start, and the program does not run',
  ['runtime/lifecycle/start-container-failure'],
  async (ground) => {
    const container = await ground.create((bundle) => withHooks(bundle, { startContainer: ['exit 3'] }, PROGRAM));
    await container.fail('start');
    assert.equal(logOf(container), '');
    if (await container.exists()) await container.waitFor('stopped');
  },
);

topic.test(
  'poststart-fails: a poststart hook that fails is an error of start, and the container is stopped',
  ['runtime/lifecycle/poststart-failure'],
  async (ground) => {
    const container = await ground.create((bundle) => withHooks(bundle, { poststart: ['exit 3'] }));
    await container.fail('start');
    if (await container.exists()) await container.waitFor('stopped');
  },
  { since: '1.3.0' },
);

topic.test(
  'poststop-fails: a poststop hook that fails does not keep the others or delete from success',
  ['runtime/lifecycle/poststop-failure', 'runtime/warnings/go-on'],
  async (ground) => {
    const container = await wholeLife(ground, { poststop: ['exit 3', 'echo second >>$1/order'] }, { 'process.args': ['true'] });
    assert.equal(logOf(container), 'second\n');
    assert.equal(await container.exists(), false);
  },
);

topic.test('missing-hook: a hook that is not there is an error', ['runtime/lifecycle/create-runtime-failure'], (ground) =>
  ground.refuse({ 'hooks.createRuntime': [{ path: '/no/such/hook' }] }),
);

topic.test('relative-path: a hook with a relative path is an error', ['config/hooks/path-absolute', 'config/valid-values'], (ground) =>
  ground.refuse({ 'hooks.createRuntime': [{ path: 'bin/sh', args: ['sh', '-c', 'true'] }] }),
);

topic.test('timeout: a hook that takes too long is killed, and that is an error', ['config/hooks/timeout'], async (ground) => {
  const begin = Date.now();
  await ground.refuse({ 'hooks.createRuntime': [{ path: '/bin/sh', args: ['sh', '-c', 'exec sleep 15'], timeout: 1 }] });
  assert.ok(Date.now() - begin < 10_000, 'the hook was waited for');
});

topic.test('timeout-kept: a hook that is done in time is no error', ['config/hooks/timeout'], (ground) =>
  ground.create({ 'hooks.createRuntime': [{ path: '/bin/sh', args: ['sh', '-c', 'exit 0'], timeout: 10 }] }),
);

for (const timeout of [0, -1]) {
  topic.test(`timeout-${timeout}: a timeout of ${timeout} is an error`, ['config/hooks/timeout', 'config/valid-values'], (ground) =>
    ground.refuse({ 'hooks.createRuntime': [{ path: '/bin/true', timeout }] }),
  );
}

topic.test('args: a hook gets its arguments, the first one included', ['config/hooks/args'], async (ground) => {
  const container = await ground.create((bundle) => ({
    'hooks.createRuntime': [
      {
        path: '/bin/sh',
        args: ['name of it', '-c', 'tr "\\0" "\\n" </proc/$$/cmdline >"$1"', 'zero', `${bundle.path}/args`, 'two words', ''],
      },
    ],
  }));
  const [first, , , ...rest] = container.bundle.read('args').split('\n');
  assert.equal(first, 'name of it');
  assert.deepEqual(rest.slice(0, 4), ['zero', `${container.bundle.path}/args`, 'two words', '']);
});

topic.test('env: a hook has the environment of its entry', ['config/hooks/env'], async (ground) => {
  const container = await ground.create((bundle) => ({
    'hooks.createRuntime': [
      {
        path: '/bin/sh',
        args: ['sh', '-c', `tr '\\0' '\\n' </proc/$$/environ >${bundle.path}/env`],
        env: ['PATH=/usr/bin:/bin', 'ONE=1 2'],
      },
    ],
  }));
  assert.deepEqual(container.bundle.read('env').trim().split('\n').sort(), ['ONE=1 2', 'PATH=/usr/bin:/bin']);
});

topic.test('state-unread: a hook that does not read the state is no error', ['config/hooks/state-on-stdin'], (ground) =>
  ground.create({
    'annotations/com.example.long': 'x'.repeat(100_000),
    'hooks.createRuntime': [{ path: '/bin/sh', args: ['sh', '-c', 'exec <&-; exit 0'] }],
  }),
);

topic.test(
  'status-create: in hooks of create the status is creating or created',
  ['config/hooks/state-on-stdin', 'runtime/state/status'],
  async (ground) => {
    const container = await ground.create((bundle) => withHooks(bundle, { createRuntime: ['cat >$1/state'] }));
    assert.match(JSON.parse(logOf(container, 'state')).status, /^(creating|created)$/);
  },
);

topic.test(
  'status-poststop: in poststop hooks the status is stopped',
  ['config/hooks/state-on-stdin', 'runtime/state/status'],
  async (ground) => {
    const container = await wholeLife(ground, { poststop: ['cat >$1/state'] }, { 'process.args': ['true'] });
    assert.equal(JSON.parse(logOf(container, 'state')).status, 'stopped');
  },
);

topic.test(
  'pid-start-container: a startContainer hook sees the pid of its namespace',
  ['runtime/state/pid', 'config/hooks/state-on-stdin'],
  async (ground) => {
    const container = await wholeLife(ground, { startContainer: ['cat >$1/state'] }, { 'process.args': ['true'] });
    assert.equal(JSON.parse(logOf(container, 'state')).pid, 1);
  },
);

topic.test(
  'pid-create-runtime: a createRuntime hook sees the pid of the runtime’s namespace',
  ['runtime/state/pid', 'config/hooks/state-on-stdin'],
  async (ground) => {
    const container = await ground.create((bundle) => withHooks(bundle, { createRuntime: ['cat >$1/state'] }));
    assert.equal(JSON.parse(logOf(container, 'state')).pid, await container.pid());
  },
);
