import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import type { Hook, HookName } from '../../specs/runtime/hooks.ts';
import { processStat } from '../src/linux/processes.ts';
import { deleteContainer } from '../src/operations/delete.ts';
import { start } from '../src/operations/start.ts';
import { busybox, type Change, Fixture, USER_NAMESPACE, WRITABLE } from './exec-fixture.ts';

const sh = (script: string, more: Partial<Hook> = {}): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env: ['PATH=/bin:/usr/bin'],
  ...more,
});

const hooks =
  (name: HookName, ...list: readonly Hook[]): Change =>
  (config) => {
    config.hooks = { ...config.hooks, [name]: list };
  };

const all =
  (...changes: readonly Change[]): Change =>
  (config) => {
    for (const change of changes) change(config);
  };

describeWith([rootUser, busybox], 'hooks', () => {
  let fixture: Fixture;
  beforeEach(() => {
    fixture = new Fixture();
  });
  afterEach(() => fixture.dispose());

  const file = (name: string): string => join(fixture.directory, name);
  const state = (name: string): { pid: number; status: string; bundle: string; id: string } => JSON.parse(readFileSync(file(name), 'utf8'));

  it.each(['prestart', 'createRuntime'] as const)(
    'runs %s hooks in the namespaces of the runtime, in the bundle, with the state',
    (name) => {
      const { id, pid, bundle } = fixture.create((config) => {
        hooks(name, sh(`cat > ${file('seen')}; pwd > ${file('cwd')}; readlink /proc/self/ns/mnt > ${file('ns')}`))(config);
      });
      expect(state('seen')).toMatchObject({ id, pid, status: 'creating', bundle });
      expect(readFileSync(file('cwd'), 'utf8').trim()).toBe(bundle);
      expect(readFileSync(file('ns'), 'utf8').trim()).toBe(ownNamespace('mnt'));
    },
  );

  it('runs createContainer hooks in the namespaces of the container, before the pivot, in the root, with the pid that they see', () => {
    const script = `cat > ${file('seen')}; pwd > ${file('cwd')}; readlink /proc/self/ns/net > ${file('ns')}; hostname > ${file('host')}`;
    const { bundle, pid } = fixture.create(hooks('createContainer', sh(script)));
    expect(state('seen')).toMatchObject({ pid: 1, status: 'creating', bundle });
    expect(readFileSync(file('cwd'), 'utf8').trim()).toBe(join(bundle, 'rootfs'));
    expect(readFileSync(file('ns'), 'utf8').trim()).toBe(namespaceOf(pid, 'net'));
  });

  it('lets a createContainer hook mount into the root by a relative path', () => {
    writeFileSync(file('library'), 'mounted by the hook');
    const change = hooks('createContainer', sh(`touch ./data/library && mount --bind ${file('library')} ./data/library`));
    const { pid } = fixture.run(change);
    expect(readFileSync(`/proc/${pid}/root/data/library`, 'utf8')).toBe('mounted by the hook');
  });

  it('runs startContainer hooks in the root of the container, with the environment of the process when they have none', () => {
    const hook = sh('cat > /tmp/state; env > /tmp/env; pwd > /tmp/cwd');
    const { env: _, ...without } = hook;
    const container = fixture.create(all(WRITABLE, hooks('startContainer', without)));
    expect(existsSync(fixture.rootfs(container, 'tmp/state'))).toBe(false);
    start(fixture.context(), container.id);
    const text = (name: string): string => readFileSync(fixture.rootfs(container, `tmp/${name}`), 'utf8');
    expect(JSON.parse(text('state'))).toMatchObject({ pid: 1, status: 'created' });
    expect(text('env')).toContain('FROM=config');
    expect(text('env')).toContain('HOME=/root');
    expect(text('cwd').trim()).toBe('/');
  });

  it('gives hooks exactly their own environment otherwise', () => {
    fixture.create(
      all(
        hooks('createRuntime', { path: '/usr/bin/env', args: ['env'], env: ['ONLY=this'] }),
        hooks('createContainer', sh(`env > ${file('env')}`, { env: ['ONLY=this'] })),
      ),
    );
    const names = readFileSync(file('env'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name ?? ''))).toEqual(['ONLY']);
  });

  it('lets no hook make files that everybody can write', () => {
    const touch = (path: string): Hook => sh(`umask > ${path}`);
    const container = fixture.run(
      all(WRITABLE, hooks('createContainer', touch('tmp/first')), hooks('startContainer', touch('/tmp/second'))),
    );
    for (const name of ['first', 'second']) expect(readFileSync(fixture.rootfs(container, `tmp/${name}`), 'utf8')).toBe('0022\n');
  });

  it('runs container hooks with a user namespace', () => {
    const { pid } = fixture.run(
      all(USER_NAMESPACE, hooks('createContainer', sh(`id -u > ./tmp/uid || exit 1; readlink /proc/self/ns/user > ./tmp/ns`)), (config) => {
        config.mounts?.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
      }),
    );
    expect(readFileSync(`/proc/${pid}/root/tmp/uid`, 'utf8').trim()).toBe('0');
    expect(readFileSync(`/proc/${pid}/root/tmp/ns`, 'utf8').trim()).toBe(namespaceOf(pid, 'user'));
  });

  it.each(['prestart', 'createRuntime', 'createContainer'] as const)(
    'undoes create when a %s hook fails, and then runs the poststop hooks',
    (name) => {
      const change = all(hooks(name, sh('exit 0'), sh('echo oh no >&2; exit 7')), hooks('poststop', sh(`cat > ${file('stopped')}`)));
      expect(() => fixture.create(change)).toThrow(
        expect.objectContaining({
          message: `error running ${name} hook #1: /bin/sh: exit status 7, output: oh no`,
          configPath: `hooks.${name}[1]`,
        }),
      );
      expect(fixture.store.list()).toEqual([]);
      expect(state('stopped')).toMatchObject({ status: 'stopped' });
      expect(state('stopped').pid).toBeUndefined();
    },
  );

  it.each(['startContainer', 'poststart'] as const)('destroys the container when a %s hook fails', (name) => {
    const container = fixture.create(all(hooks(name, sh('kill -9 $$')), hooks('poststop', sh(`cat > ${file('stopped')}`))));
    expect(() => start(fixture.context(), container.id)).toThrow(`error running ${name} hook #0: /bin/sh: killed by signal 9`);
    expect(fixture.store.list()).toEqual([]);
    expect(['Z', undefined]).toContain(processStat(fixture.sys, container.pid)?.state);
    expect(state('stopped')).toMatchObject({ status: 'stopped' });
  });

  it('runs poststart hooks when the process runs', () => {
    const { pid } = fixture.run(
      hooks(
        'poststart',
        sh(
          `cat > ${file('seen')}; cat /proc/$(grep -o '"pid":[0-9]*' ${file('seen')} | cut -d: -f2)/cmdline | tr '\\0' ' ' > ${file('cmdline')}`,
        ),
      ),
    );
    expect(state('seen')).toMatchObject({ status: 'running', pid });
    expect(readFileSync(file('cmdline'), 'utf8')).toBe('sleep 1000 ');
  });

  it('warns of a poststop hook that fails, and runs the others', () => {
    const container = fixture.run(hooks('poststop', { path: '/does/not/exist' }, sh(`cat > ${file('stopped')}`)));
    deleteContainer(fixture.context(), { id: container.id, force: true });
    expect(fixture.warnings).toEqual(['error running poststop hook #0: /does/not/exist: cannot be executed: no such file or directory']);
    expect(state('stopped')).toMatchObject({ status: 'stopped', id: container.id });
  });

  it.each(['createRuntime', 'createContainer'] as const)('kills a %s hook that runs past its timeout, with its children', (name) => {
    const script = `sleep 1000 & echo $! > ${file('pid')}; echo waiting; wait`;
    const begun = performance.now();
    expect(() => fixture.create(hooks(name, sh(script, { timeout: 1 })))).toThrow(
      `error running ${name} hook #0: /bin/sh: hook ran past its timeout of 1 s and was killed, output: waiting`,
    );
    expect(performance.now() - begun).toBeLessThan(4000);
    if (name === 'createRuntime')
      expect(['Z', undefined]).toContain(processStat(fixture.sys, Number(readFileSync(file('pid'), 'utf8')))?.state);
  });

  it.each(['createRuntime', 'createContainer'] as const)('says so when the program of a %s hook is missing', (name) => {
    expect(() => fixture.create(hooks(name, { path: '/does/not/exist' }))).toThrow(
      `error running ${name} hook #0: /does/not/exist: cannot be executed: no such file or directory`,
    );
  });

  it('is not held up by a hook that reads nothing, writes much, or leaves somebody behind', () => {
    fixture.create(
      all(
        (config) => {
          config.annotations = { long: 'x'.repeat(200_000) };
        },
        hooks('createRuntime', { path: '/bin/true' }, sh('head -c 1000000 /dev/zero; sleep 3 &')),
        hooks('createContainer', { path: '/bin/true' }, sh('head -c 1000000 /dev/zero; sleep 3 &')),
      ),
    );
  });

  it('keeps the end of a long output', () => {
    expect(() => fixture.create(hooks('createRuntime', sh('head -c 100000 /dev/zero | tr "\\0" a; echo the reason; exit 1')))).toThrow(
      /^error running createRuntime hook #0: \/bin\/sh: exit status 1, output: …a{4085}the reason$/,
    );
  });

  it.each(['createContainer', 'startContainer'] as const)('gives a %s hook no descriptor but its streams (CVE-2024-21626)', (name) => {
    const change = all(
      WRITABLE,
      hooks(name, sh('cd /proc/self/fd; for fd in *; do case $fd in 0|1|2) ;; *) readlink $fd ;; esac; done; exit 9')),
    );
    const begin = (): void => {
      start(fixture.context(), fixture.create(change).id);
    };
    expect(begin).toThrow(/hook #0: \/bin\/sh: exit status 9(, output: \/proc\/\d+\/fd)?$/);
  });
});

function ownNamespace(name: string): string {
  return namespaceOf('self', name);
}

function namespaceOf(pid: number | string, name: string): string {
  return readlinkSync(`/proc/${pid}/ns/${name}`);
}
