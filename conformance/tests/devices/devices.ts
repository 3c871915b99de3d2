import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { ConfigPatch } from '../../harness/patch.ts';
import { Topic } from '../../harness/test-case.ts';

const defaults = new Topic('devices/default');
const listed = new Topic('devices/listed');
const links = new Topic('devices/links');
const paths = new Topic('devices/paths');

const DEFAULTS = { null: '1:3', zero: '1:5', full: '1:7', random: '1:8', urandom: '1:9', tty: '5:0' } as const;

for (const [name, numbers] of Object.entries(DEFAULTS)) {
  defaults.test(`${name}: /dev/${name} is there`, ['linux/devices/default'], async (ground) => {
    assert.equal(await ground.sh(`stat -c '%F %t:%T %a' /dev/${name}`), `character special file ${numbers} 666`);
  });
}

defaults.test('ptmx: /dev/ptmx is the one of /dev/pts', ['linux/devices/default'], async (ground) => {
  assert.equal(await ground.sh("stat -L -c '%t:%T' /dev/ptmx /dev/pts/ptmx"), '5:2\n5:2');
});

defaults.test('without-dev-mount: the default devices are there without a mount at /dev', ['linux/devices/default'], async (ground) => {
  const script = "for d in null zero full random urandom tty; do stat -c '%t:%T' /dev/$d; done";
  const patch = { mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }] };
  assert.equal(await ground.sh(script, patch), Object.values(DEFAULTS).join('\n'));
});

defaults.test('work: the default devices do what they are for', ['linux/devices/default'], async (ground) => {
  const script =
    'echo x >/dev/null && head -c 2 /dev/zero | od -An -tx1; head -c 4 /dev/urandom | wc -c; echo x 2>/dev/null >/dev/full || echo full';
  assert.equal(await ground.sh(script), ' 00 00\n4\nfull');
});

defaults.test('no-others: there are no device nodes but the default ones', ['linux/devices/default'], async (ground) => {
  const names = (await ground.sh('cd /dev; for f in *; do test ! -L $f && test -c $f -o -b $f && echo $f; done; true')).split('\n');
  assert.deepEqual(
    names.filter((name) => !(name in DEFAULTS) && name !== 'ptmx'),
    [],
  );
});

const AVAILABLE = ['linux/devices/available', 'linux/devices/attributes'] as const;
const MODE = 0o640;

for (const [name, device, expected] of [
  ['character', { path: '/dev/mine', type: 'c', major: 1, minor: 3, fileMode: MODE, uid: 0, gid: 0 }, 'character special file 1:3 640 0 0'],
  [
    'unbuffered',
    { path: '/dev/mine', type: 'u', major: 1, minor: 5, fileMode: MODE, uid: 0, gid: 0 },
    'character special file 1:5 640 0 0',
  ],
  ['block', { path: '/dev/mine', type: 'b', major: 7, minor: 200, fileMode: MODE, uid: 0, gid: 0 }, 'block special file 7:c8 640 0 0'],
  ['fifo', { path: '/dev/mine', type: 'p', fileMode: MODE, uid: 0, gid: 0 }, 'fifo 0:0 640 0 0'],
  [
    'owner',
    { path: '/dev/mine', type: 'c', major: 1, minor: 3, fileMode: 0o600, uid: 12, gid: 34 },
    'character special file 1:3 600 12 34',
  ],
  [
    'elsewhere',
    { path: '/opt/deep/mine', type: 'c', major: 1, minor: 3, fileMode: MODE, uid: 0, gid: 0 },
    'character special file 1:3 640 0 0',
  ],
  [
    'large-minor',
    { path: '/dev/mine', type: 'c', major: 300, minor: 70_000, fileMode: MODE, uid: 0, gid: 0 },
    'character special file 12c:11170 640 0 0',
  ],
] as const) {
  listed.test(`${name}: ${device.path} is ${expected}`, AVAILABLE, async (ground) => {
    assert.equal(await ground.sh(`stat -c '%F %t:%T %a %u %g' ${device.path}`, { 'linux.devices': [device] }), expected);
  });
}

listed.test('several: all devices of the list are there', AVAILABLE, async (ground) => {
  const devices = [3, 5, 7].map((minor) => ({ path: `/dev/d${minor}`, type: 'c', major: 1, minor }));
  assert.equal(await ground.sh("stat -c '%t:%T' /dev/d*", { 'linux.devices': devices }), '1:3\n1:5\n1:7');
});

listed.test('works: a device of the list can be used', AVAILABLE, async (ground) => {
  const patch = {
    'linux.devices': [{ path: '/dev/mine', type: 'c', major: 1, minor: 5, fileMode: 0o666 }],
    'linux.resources': { devices: [{ allow: true, access: 'rwm' }] },
  };
  assert.equal(await ground.sh('head -c 3 /dev/mine | wc -c', patch), '3');
});

for (const [name, device] of [
  ['unknown-type', { path: '/dev/mine', type: 'x', major: 1, minor: 3 }],
  ['no-path', { type: 'c', major: 1, minor: 3 }],
] as const) {
  listed.test(`${name}: ${JSON.stringify(device)} is an error`, ['config/valid-values', 'runtime/create/cannot-apply'], (ground) =>
    ground.refuse({ 'linux.devices': [device] }),
  );
}

const CONFLICT = ['linux/devices/conflict', 'runtime/errors/no-trace'] as const;
const noDevMount: ConfigPatch = { mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }] };
const mine = { path: '/opt/mine', type: 'c', major: 1, minor: 3 };

listed.test('conflict-file: a file in the place of a device is an error', CONFLICT, (ground) => {
  const bundle = ground.bundle({ ...noDevMount, 'linux.devices': [mine] });
  bundle.file('rootfs/opt/mine', 'text');
  return ground.refuse(bundle);
});

listed.test('conflict-directory: a directory in the place of a device is an error', CONFLICT, (ground) => {
  const bundle = ground.bundle({ ...noDevMount, 'linux.devices': [mine] });
  mkdirSync(bundle.inside('opt/mine'), { recursive: true });
  return ground.refuse(bundle);
});

const LINKS = { fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' };
for (const [name, target] of Object.entries(LINKS)) {
  links.test(`${name}: /dev/${name} leads to ${target}`, ['runtime-linux/dev-links'], async (ground) => {
    assert.equal(await ground.sh(`readlink /dev/${name}`), target);
  });
}

links.test('usable: the links can be written to', ['runtime-linux/dev-links'], async (ground) => {
  assert.equal(await ground.sh('(echo out >/dev/stdout) | cat'), 'out');
});

const MASKED = ['linux/masked-paths'] as const;
paths.test('masked-file: a masked file is empty', MASKED, async (ground) => {
  const bundle = ground.bundle({ 'linux.maskedPaths': ['/etc/secret'], 'process.args': ['sh', '-c', 'cat /etc/secret; echo end'] });
  bundle.file('rootfs/etc/secret', 'secret');
  assert.equal((await ground.run(bundle)).stdout, 'end\n');
});

paths.test('masked-directory: a masked directory is empty', MASKED, async (ground) => {
  const bundle = ground.bundle({ 'linux.maskedPaths': ['/etc/hidden'], 'process.args': ['sh', '-c', 'ls /etc/hidden; echo end'] });
  bundle.file('rootfs/etc/hidden/secret', 'secret');
  assert.equal((await ground.run(bundle)).stdout, 'end\n');
});

paths.test('masked-directory-readonly: nothing can be put into a masked directory', MASKED, async (ground) => {
  const bundle = ground.bundle({
    'linux.maskedPaths': ['/etc/hidden'],
    'process.args': ['sh', '-c', 'touch /etc/hidden/f 2>/dev/null && echo made; true'],
  });
  mkdirSync(bundle.inside('etc/hidden'));
  assert.equal((await ground.run(bundle)).stdout, '');
});

paths.test('masked-proc: a file of /proc is masked', MASKED, async (ground) => {
  assert.equal(
    await ground.sh('cat /proc/cmdline; ls /proc/acpi 2>/dev/null; echo end', { 'linux.maskedPaths': ['/proc/cmdline', '/proc/acpi'] }),
    'end',
  );
});

paths.test('masked-mount: a file of a mount is masked', MASKED, async (ground) => {
  const out = await ground.sh('cat /mnt/f; echo end', (bundle) => {
    bundle.file('data/f', 'secret');
    return { 'linux.maskedPaths': ['/mnt/f'], 'mounts+': { destination: '/mnt', type: 'none', source: 'data', options: ['bind'] } };
  });
  assert.equal(out, 'end');
});

paths.test('masked-missing: a masked path that is not there is no error', MASKED, async (ground) => {
  assert.equal(await ground.sh('echo ran', { 'linux.maskedPaths': ['/no/such/path', '/proc/no-such-file'] }), 'ran');
});

const READONLY = ['linux/readonly-paths'] as const;
paths.test('readonly-file: a read-only file can be read and not written', READONLY, async (ground) => {
  const bundle = ground.bundle({
    'linux.readonlyPaths': ['/etc/fixed'],
    'process.args': ['sh', '-c', 'cat /etc/fixed; echo x 2>/dev/null >/etc/fixed && echo written; true'],
  });
  bundle.file('rootfs/etc/fixed', 'text\n');
  assert.equal((await ground.run(bundle)).stdout, 'text\n');
});

paths.test('readonly-directory: nothing can be put into a read-only directory', READONLY, async (ground) => {
  assert.equal(await ground.sh('touch /tmp/f 2>/dev/null && echo made; true', { 'linux.readonlyPaths': ['/tmp'] }), '');
});

paths.test('readonly-proc: parameters below a read-only /proc/sys cannot be set', READONLY, async (ground) => {
  assert.equal(
    await ground.sh('echo other 2>/dev/null >/proc/sys/kernel/hostname && echo written; true', { 'linux.readonlyPaths': ['/proc/sys'] }),
    '',
  );
});

paths.test('readonly-missing: a read-only path that is not there is no error', READONLY, async (ground) => {
  assert.equal(await ground.sh('echo ran', { 'linux.readonlyPaths': ['/no/such/path'] }), 'ran');
});

for (const [name, property] of [
  ['masked', 'maskedPaths'],
  ['readonly', 'readonlyPaths'],
] as const) {
  paths.test(
    `${name}-relative: a relative path in ${property} is an error`,
    [name === 'masked' ? 'linux/masked-paths' : 'linux/readonly-paths', 'config/valid-values'],
    (ground) => ground.refuse({ [`linux.${property}`]: ['etc'] }),
  );
}

export const deviceTests = [defaults, listed, links, paths].flatMap((topic) => topic.tests);
