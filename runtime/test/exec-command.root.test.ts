/** exec and hooks by the command line, on both engines; what they do is tested in exec.root.test.ts and hooks.root.test.ts. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hook, HookName } from '../../specs/runtime/hooks.ts';
import type { ConfigChange } from './bundle.ts';
import { describeBothEngines, isRunning, until } from './cli.ts';

const sh = (script: string, more: Partial<Hook> = {}): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env: ['PATH=/bin:/usr/bin'],
  ...more,
});

const hooks =
  (name: HookName, ...list: readonly Hook[]): ConfigChange =>
  (config) => {
    config.hooks = { ...config.hooks, [name]: list };
  };

describeBothEngines('exec', (cli) => {
  it('stays with the process, passes its streams on, and exits with its status', () => {
    const id = cli().start();
    const { status, stdout, stderr } = cli().run(['exec', id, 'sh', '-c', 'echo out; echo err >&2; exit 42']);
    expect({ status, stdout, stderr }).toEqual({ status: 42, stdout: 'out\n', stderr: 'err\n' });
    expect(cli().run(['exec', id, 'sh', '-c', 'kill -9 $$']).status).toBe(137);
  });

  it('takes the flags of runc', () => {
    const id = cli().start();
    const flags = ['--cwd', '/tmp', '--env', 'A=1', '-e', 'B=2', '--user', '1000:1001', '--additional-gids', '7', '--cap', 'CAP_NET_ADMIN'];
    expect(cli().ok(['exec', ...flags, id, 'sh', '-c', 'pwd; echo $A$B; id -u; id -G; grep CapBnd /proc/self/status'])).toBe(
      '/tmp\n12\n1000\n1001 7\nCapBnd:\t0000000020001420\n',
    );
  });

  it('takes the process of a file', () => {
    const id = cli().start();
    const file = join(cli().directory, 'process.json');
    writeFileSync(
      file,
      JSON.stringify({ args: ['sh', '-c', 'pwd; echo $ONLY$PATH'], cwd: '/etc', env: ['PATH=/bin', 'ONLY=x'], user: { uid: 0, gid: 0 } }),
    );
    expect(cli().ok(['exec', '--process', file, id])).toBe('/etc\nx/bin\n');
  });

  it('returns at once when detached, and has written the pid file', () => {
    const id = cli().start();
    const pidFile = join(cli().directory, 'pid');
    const { status } = cli().run(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'], { stdio: 'ignore' });
    expect(status).toBe(0);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isRunning(pid)).toBe(true);
    expect(cli().pids(id)).toContain(pid);
  });

  it('exits with 255 when the runtime fails, without a pid file', () => {
    const id = cli().start();
    const pidFile = join(cli().directory, 'pid');
    expect(cli().run(['exec', '--pid-file', pidFile, id, '/missing'])).toEqual({
      status: 255,
      stdout: '',
      stderr: 'exec failed: unable to start container process: exec: "/missing": stat /missing: no such file or directory\n',
    });
    expect(existsSync(pidFile)).toBe(false);
    expect(cli().run(['exec', 'missing', 'true'])).toMatchObject({
      status: 255,
      stderr: 'exec failed: container does not exist: missing\n',
    });
    expect(cli().run(['exec', '--cwd', '/not/there', id, 'true']).status).toBe(255);
    expect(cli().run(['exec', '--cgroup', '../..', id, 'true']).status).toBe(255);
    expect(cli().run(['exec', '--user', '1x', id, 'true']).status).toBe(255);
  });

  it('waits for a paused container when told to', () => {
    const id = cli().start();
    cli().ok(['pause', id]);
    expect(cli().run(['exec', id, 'true']).stderr).toContain('cannot exec in a paused container (use --ignore-paused to override)');
    const child = cli().spawn(['exec', '--ignore-paused', id, 'touch', '/dev/shm/done']);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    expect(isRunning(child.pid ?? 0)).toBe(true);
    cli().ok(['resume', id]);
    until(() => cli().look(['exec', id, 'ls', '/dev/shm']).stdout === 'done\n', 'the process ran');
  });

  it('works in a user namespace', () => {
    chmodSync(cli().directory, 0o755);
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const id = cli().start((config) => {
      config.linux = { ...config.linux, uidMappings: map, gidMappings: map };
      config.linux.namespaces?.push({ type: 'user' });
    });
    expect(cli().ok(['exec', id, 'id', '-u'])).toBe('0\n');
  });

  it('leaves nothing of the container out of a sub-cgroup', () => {
    const id = cli().start();
    const pid = cli().state(id).pid;
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
    const root = existsSync('/sys/fs/cgroup/cgroup.procs') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified';
    mkdirSync(join(root, path, 'sub'));
    expect(cli().ok(['exec', '--cgroup', 'sub', id, 'sh', '-c', 'grep ^0 /proc/self/cgroup'])).toBe('0::/sub\n');
  });
});

describeBothEngines('hooks', (cli) => {
  it('run in their order, each at its time', () => {
    const log = join(cli().directory, 'hooks');
    const write = (name: HookName) => hooks(name, sh(`echo ${name} 1 >> ${log}`), sh(`echo ${name} 2 >> ${log}`));
    const bundle = cli().bundle(
      (config) => {
        config.root = { path: 'rootfs' };
        config.mounts?.push({ destination: log, type: 'bind', source: log, options: ['bind'] } as never);
      },
      ...(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const).map(write),
    );
    writeFileSync(log, '');
    const id = cli().id();
    cli().create(id, bundle);
    const names = (): string[] => readFileSync(log, 'utf8').trim().split('\n');
    const both = (...list: readonly HookName[]): string[] => list.flatMap((name) => [`${name} 1`, `${name} 2`]);
    expect(names()).toEqual(both('prestart', 'createRuntime', 'createContainer'));
    cli().ok(['start', id]);
    expect(names().slice(6)).toEqual(both('startContainer', 'poststart'));
    cli().ok(['delete', '--force', id]);
    expect(names().slice(10)).toEqual(both('poststop'));
  });

  it.each(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart'] as const)('fails with a %s hook', (name) => {
    const bundle = cli().bundle(hooks(name, { path: '/bin/true' }, sh('echo the reason >&2; exit 3')));
    const id = cli().id();
    const { status, stderr } = cli().run(['run', '--bundle', bundle, id]);
    expect(status).toBe(1);
    expect(stderr).toContain(`error running ${name} hook #1: /bin/sh: exit status 3, output: the reason\n`);
    expect(cli().run(['state', id]).stderr).toBe(`container does not exist: ${id}\n`);
  });

  it('run in a user namespace', () => {
    chmodSync(cli().directory, 0o755);
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const id = cli().start(
      (config) => {
        config.linux = { ...config.linux, uidMappings: map, gidMappings: map };
        config.linux.namespaces?.push({ type: 'user' });
        config.mounts?.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' } as never);
      },
      hooks('createContainer', sh('id -u > tmp/first')),
      hooks('startContainer', sh('id -u > /tmp/second')),
    );
    expect(cli().ok(['exec', id, 'cat', '/tmp/first', '/tmp/second'])).toBe('0\n0\n');
  });
});
