/** delete takes what any other command has left, however that one ended. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigChange } from './bundle.ts';
import { type Cli, cgroupsOf, describeBothEngines, isRunning, sleep, until } from './cli.ts';
import { recordFile } from './record.ts';

/** Processes whose root or command line is in the test's directory. */
function processesOf(cli: Cli): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isRunning(Number(name)))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(cli.directory);
      } catch {
        return false;
      }
    });
}

describeBothEngines('delete', (cli) => {
  it('fails for a running container, and for one that is missing', () => {
    const id = cli().start();
    expect(cli().run(['delete', id])).toEqual({
      status: 1,
      stdout: '',
      stderr: `cannot delete container ${id} that is not stopped: running\nhint: kill it first, or use delete --force\n`,
    });
    expect(cli().state(id).status).toBe('running');
    expect(cli().run(['delete', 'missing'])).toEqual({ status: 1, stdout: '', stderr: 'container does not exist: missing\n' });
    expect(cli().run(['delete', '--force', 'missing'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('removes what a killed create has left, wherever it was', () => {
    const bundle = cli().bundle();
    for (let attempt = 0; attempt < 12; attempt++) {
      const id = cli().id();
      const child = cli().spawn(['create', '--bundle', bundle, id]);
      // From before it begins until after it has ended.
      sleep(attempt * (cli().command.endsWith('node') ? 15 : 2));
      process.kill(child.pid ?? 0, 'SIGKILL');
      until(() => !isRunning(child.pid ?? 0), 'the end of create');
      spawnSync(cli().command, ['--root', cli().root, 'list']);
      const { status, stderr } = spawnSync(cli().command, ['--root', cli().root, 'delete', '--force', id], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      expect(existsSync(join(cli().root, id))).toBe(false);
      expect(cgroupsOf(id)).toEqual([]);
    }
    until(() => processesOf(cli()).length === 0, 'the end of every init');
  });

  it.each([
    ['start', []],
    ['delete', ['--force']],
  ])('removes what a killed %s has left, wherever it was', (command, flags) => {
    const bundle = cli().bundle();
    for (let attempt = 0; attempt < 8; attempt++) {
      const id = cli().id();
      spawnSync(cli().command, ['--root', cli().root, 'create', '--bundle', bundle, id], { stdio: 'ignore' });
      const child = cli().spawn([command, ...flags, id]);
      sleep(attempt * (cli().command.endsWith('node') ? 15 : 2));
      process.kill(child.pid ?? 0, 'SIGKILL');
      until(() => !isRunning(child.pid ?? 0), 'the end of the command');
      const { status, stderr } = spawnSync(cli().command, ['--root', cli().root, 'delete', '--force', id], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      expect(existsSync(join(cli().root, id))).toBe(false);
      expect(cgroupsOf(id)).toEqual([]);
    }
    until(() => processesOf(cli()).length === 0, 'the end of every init');
  });

  it('removes a container whose directory is all there is', () => {
    const id = cli().id();
    mkdirSync(join(cli().root, id));
    expect(cli().run(['state', id]).stderr).toBe(`container does not exist: ${id}\n`);
    expect(cli().run(['list']).stdout).toContain('stopped');
    cli().ok(['delete', id]);
    expect(readdirSync(cli().root)).toEqual([]);
  });

  it('removes a container whose state cannot be read, with all its processes, by force only', () => {
    const id = cli().start();
    const { pid } = cli().state(id);
    writeFileSync(recordFile(cli().root, id), '\n{"id":\n');
    expect(cli().run(['delete', id]).stderr).toContain('is not the state of a container');
    expect(cli().run(['state', id]).status).toBe(1);
    expect(cli().ok(['list', '-q'])).toBe(`${id}\n`);
    cli().ok(['delete', '--force', id]);
    until(() => !isRunning(pid), 'the end of init');
    expect(cgroupsOf(id)).toEqual([]);
  });

  it('removes a container whose cgroup is gone', () => {
    const id = cli().start();
    cli().ok(['kill', id, 'KILL']);
    cli().waitFor(id, 'stopped');
    for (const directory of cgroupsOf(id)) spawnSync('rmdir', [directory]);
    cli().ok(['delete', id]);
    expect(readdirSync(cli().root)).toEqual([]);
  });

  it('kills a container whose create hangs in a hook', () => {
    const id = cli().id();
    const mark = join(cli().directory, 'mark');
    const hangs: ConfigChange = (config) => {
      config.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `touch ${mark}; exec sleep 4`] }] };
    };
    const child = cli().spawn(['create', '--bundle', cli().bundle(hangs), id]);
    until(() => existsSync(mark), 'the hook', 10_000);
    expect(JSON.parse(cli().ok(['state', id])).status).toBe('creating');
    cli().ok(['delete', '--force', id]);
    until(() => !isRunning(child.pid ?? 0), 'the end of create');
    expect(existsSync(join(cli().root, id))).toBe(false);
    expect(cgroupsOf(id)).toEqual([]);
  });

  it('runs the poststop hooks, of which a failure is a warning', () => {
    const output = join(cli().directory, 'state');
    const hooks: ConfigChange = (config) => {
      config.hooks = {
        poststop: [
          { path: '/bin/sh', args: ['sh', '-c', 'exit 3'] },
          { path: '/bin/sh', args: ['sh', '-c', `cat > ${output}`] },
        ],
      };
    };
    const id = cli().start(hooks);
    const { status, stderr } = cli().run(['delete', '--force', id]);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^warning: .*poststop hook #0.*exit status 3/)]);
    expect(JSON.parse(readFileSync(output, 'utf8'))).toMatchObject({ id, status: 'stopped' });
  });
});

describeBothEngines('two commands on one container', (cli) => {
  const exits = (children: readonly ReturnType<Cli['spawn']>[]): (number | null)[] => {
    until(() => children.every((child) => !isRunning(child.pid ?? 0)), 'the end of the commands', 20_000);
    return children.map((child) => child.exitCode);
  };
  /** Exit statuses come as events. */
  const settled = async (children: readonly ReturnType<Cli['spawn']>[]): Promise<(number | null)[]> => {
    await Promise.all(children.map((child) => new Promise((done) => (child.exitCode === null ? child.on('exit', done) : done(0)))));
    return exits(children);
  };

  it('let one create win', async () => {
    const id = cli().id();
    const bundle = cli().bundle();
    const statuses = await settled([1, 2, 3, 4].map(() => cli().spawn(['create', '--bundle', bundle, id])));
    expect(statuses.toSorted()).toEqual([0, 1, 1, 1]);
    expect(cli().state(id).status).toBe('created');
  });

  it('let one start win', async () => {
    const id = cli().id();
    cli().create(id, cli().bundle());
    const statuses = await settled([1, 2, 3, 4].map(() => cli().spawn(['start', id])));
    expect(statuses.toSorted()).toEqual([0, 1, 1, 1]);
    expect(cli().state(id).status).toBe('running');
  });

  it('delete it once', async () => {
    const id = cli().start();
    const statuses = await settled([1, 2, 3, 4].map(() => cli().spawn(['delete', '--force', id])));
    expect(statuses).toEqual([0, 0, 0, 0]);
    expect(readdirSync(cli().root)).toEqual([]);
    expect(cgroupsOf(id)).toEqual([]);
  });

  it('start and delete it in some order', async () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const id = cli().id();
      cli().create(id, cli().bundle());
      const [, deleted] = await settled([cli().spawn(['start', id]), cli().spawn(['delete', '--force', id])]);
      expect(deleted).toBe(0);
      expect(readdirSync(cli().root)).toEqual([]);
      expect(cgroupsOf(id)).toEqual([]);
    }
  });
});
