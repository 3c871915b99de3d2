import assert from 'node:assert/strict';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('process/program');
export const programTests = topic.tests;

const CWD = ['config/process/cwd'] as const;

topic.test('cwd-root: the working directory can be /', CWD, async (ground) => {
  assert.equal((await ground.probe(['cwd'])).text('cwd'), '/');
});

topic.test('cwd-set: the program starts in the working directory', CWD, async (ground) => {
  assert.equal((await ground.probe(['cwd'], { 'process.cwd': '/tmp' })).text('cwd'), '/tmp');
});

topic.test('cwd-mounted: the working directory can be in a mount', CWD, async (ground) => {
  const facts = await ground.probe(['cwd'], (bundle) => {
    const source = bundle.directory('data');
    bundle.directory('data/deep');
    return { 'process.cwd': '/mnt/deep', 'mounts+': { destination: '/mnt', type: 'none', source, options: ['bind'] } };
  });
  assert.equal(facts.text('cwd'), '/mnt/deep');
});

topic.test('cwd-relative: a relative working directory is an error', [...CWD, 'config/valid-values'], (ground) =>
  ground.refuse({ 'process.cwd': 'tmp' }),
);

topic.test('cwd-missing: a configuration without a working directory is an error', [...CWD, 'config/valid-values'], (ground) =>
  ground.refuse({ 'process.cwd': undefined }),
);

topic.test('cwd-file: a working directory that is a file is an error', CWD, (ground) => {
  const bundle = ground.bundle({ 'process.cwd': '/etc/text' });
  bundle.file('rootfs/etc/text');
  return ground.refuseProcess(bundle);
});

const ENV = ['config/process/env'] as const;

topic.test('env-exact: the environment is the list', ENV, async (ground) => {
  const facts = await ground.probe(['environ'], { 'process.env': ['PATH=/bin', 'HOME=/tmp', 'ONE=1', 'TWO=two words', 'EMPTY='] });
  for (const entry of ['PATH=/bin', 'HOME=/tmp', 'ONE=1', 'TWO=two words', 'EMPTY='])
    assert.ok(facts.lines('environ').includes(entry), entry);
});

topic.test('env-not-inherited: nothing of the runtime’s environment reaches the program', ENV, async (ground) => {
  const bundle = ground.bundle({ 'process.args': ['env'] });
  const { stdout } = await ground.run(bundle, { env: { PATH: process.env['PATH'] ?? '/bin', SECRET_OF_THE_CALLER: 'yes' } });
  assert.doesNotMatch(stdout, /SECRET_OF_THE_CALLER/);
});

topic.test('env-equals: a value may hold equals signs', ENV, async (ground) => {
  assert.equal(await ground.sh('echo "$X"', { 'process.env+': 'X=a=b=c' }), 'a=b=c');
});

topic.test('env-unicode: a value may hold any text', ENV, async (ground) => {
  assert.equal(await ground.sh('echo "$X"', { 'process.env+': 'X=ü€𝄞 "\\' }), 'ü€𝄞 "\\');
});

topic.test('env-path: the program is looked up in the PATH of the list', ['config/process/env', 'config/process/args'], async (ground) => {
  const bundle = ground.bundle({ 'process.env': ['PATH=/opt/first:/bin'], 'process.args': ['mine'] });
  bundle.file('rootfs/opt/first/mine', '#!/bin/sh\necho found\n', 0o755);
  assert.equal((await ground.run(bundle)).stdout, 'found\n');
});

const ARGS = ['config/process/args'] as const;

topic.test('args-exact: the program gets its arguments as they are', ARGS, async (ground) => {
  const words = ['one', 'two words', '', '"quoted"', '$HOME', '-x', 'ü'];
  const { stdout } = await ground.run({ 'process.args': ['sh', '-c', 'for w in "$@"; do echo "<$w>"; done', 'name', ...words] });
  assert.deepEqual(
    stdout.trimEnd().split('\n'),
    words.map((word) => `<${word}>`),
  );
});

topic.test('args-first: the first argument is the name of the program', ARGS, async (ground) => {
  assert.equal(await ground.sh('tr "\\0" "\\n" </proc/$$/cmdline | head -n 1'), 'sh');
});

topic.test('args-absolute: a path is not looked up', ARGS, async (ground) => {
  const { stdout } = await ground.run({ 'process.args': ['/bin/echo', 'x'], 'process.env': ['PATH=/nowhere'] });
  assert.equal(stdout, 'x\n');
});

topic.test('args-empty: no argument is an error', ['config/process/args-required', 'config/valid-values'], (ground) =>
  ground.refuseProcess({ 'process.args': [] }),
);

topic.test('args-missing: a process without arguments is an error', ['config/process/args-required', 'config/valid-values'], (ground) =>
  ground.refuseProcess({ 'process.args': undefined }),
);

topic.test('args-large: arguments of 100 KB reach the program', ARGS, async (ground) => {
  const long = 'x'.repeat(100_000);
  const { stdout } = await ground.run({ 'process.args': ['sh', '-c', 'printf %s "$1" | wc -c', 'sh', long] });
  assert.equal(stdout, '100000\n');
});

for (const [name, status] of [
  ['zero', 0],
  ['seven', 7],
  ['greatest', 255],
] as const) {
  topic.test(`exit-${name}: run ends with the status of the program`, ['runtime/lifecycle/run-program'], async (ground) => {
    assert.equal((await ground.run({ 'process.args': ['sh', '-c', `exit ${status}`] })).status, status);
  });
}

topic.test('first-process: the program is the first process of its pid namespace', ['runtime/lifecycle/run-program'], async (ground) => {
  assert.equal(await ground.sh('echo $$'), '1');
});

const FDS = ['runtime-linux/descriptors'] as const;

topic.test('descriptors-run: the program has three descriptors', FDS, async (ground) => {
  // ls has one more, for the directory that it reads.
  assert.deepEqual((await ground.sh('ls /proc/self/fd')).split('\n'), ['0', '1', '2', '3']);
});

topic.test('descriptors-created: the program of a created container has three descriptors', FDS, async (ground) => {
  const container = await ground.start({ 'process.args': ['sh', '-c', 'ls /proc/self/fd'] });
  await container.waitFor('stopped');
  assert.deepEqual(container.output().split('\n'), ['0', '1', '2', '3']);
});

topic.test('descriptors-hosts: no descriptor leads to a file of the host', FDS, async (ground) => {
  const links = await ground.sh("ls -l /proc/$$/fd | awk '{print $NF}'");
  assert.doesNotMatch(links, /conformance-|\/var|\/run|\/sys/);
});

topic.test('streams: standard output and standard error are two', ['runtime-linux/descriptors'], async (ground) => {
  const { stdout } = await ground.run({ 'process.args': ['sh', '-c', 'echo out; echo err >&2'] });
  assert.equal(stdout, 'out\n');
});
