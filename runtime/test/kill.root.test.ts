/** kill by the command line: only ever the container's own process (runtime.md, "Kill"). */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { args, type ConfigChange } from './bundle.ts';
import { describeBothEngines, isRunning, until } from './cli.ts';
import { recordFile, recordOf } from './record.ts';

const TRAP = args('sh', '-c', 'trap "exit 0" TERM USR1; touch /tmp/ready; while :; do sleep 0.05; done');
const WRITABLE: ConfigChange = (config) => {
  if (config.root !== undefined) config.root.readonly = false;
};
const HOST_PIDS: ConfigChange = (config) => {
  if (config.linux !== undefined) config.linux.namespaces = (config.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
};

describeBothEngines('kill', (cli) => {
  it.each([['15'], ['TERM'], ['SIGTERM'], ['sigusr1'], []])('sends the signal named %s', (...signal) => {
    const id = cli().id();
    const bundle = cli().bundle(TRAP, WRITABLE);
    cli().create(id, bundle);
    cli().ok(['start', id]);
    until(() => existsIn(bundle, 'tmp/ready'), 'the trap');
    cli().ok(['kill', id, ...signal]);
    cli().waitFor(id, 'stopped');
  });

  it('refuses what is no signal', () => {
    const id = cli().start();
    expect(cli().run(['kill', id, 'FOO'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'unknown signal "FOO"\nhint: give a number, TERM or SIGTERM\n',
    });
    expect(cli().state(id).status).toBe('running');
  });

  it('fails when the container has stopped, but not with --all', () => {
    const id = cli().start(args('true'));
    cli().waitFor(id, 'stopped');
    expect(cli().run(['kill', id, '9'])).toEqual({ status: 1, stdout: '', stderr: 'container not running\n' });
    expect(cli().run(['kill', '--all', id, '9'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(cli().run(['kill', id, '9', '--all'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('kills a created container', () => {
    const id = cli().id();
    cli().create(id, cli().bundle());
    cli().ok(['kill', id, 'KILL']);
    cli().waitFor(id, 'stopped');
    expect(cli().run(['start', id]).stderr).toBe('cannot start a container that has stopped\n');
  });

  it('kills all with init where the pid namespace is not its own', () => {
    const id = cli().start(HOST_PIDS, args('sh', '-c', 'sleep 902 & sleep 903; true'));
    until(() => cli().pids(id).length === 3, 'three processes');
    const pids = cli().pids(id);
    cli().ok(['kill', id, 'KILL']);
    until(() => pids.every((pid) => !isRunning(pid)), 'the end of all three');
  });

  it('kills what init has left behind where the pid namespace is not its own', () => {
    const id = cli().start(HOST_PIDS, args('sh', '-c', 'sleep 904 & exit 0'));
    cli().waitFor(id, 'stopped');
    const [pid = 0] = cli().pids(id);
    expect(isRunning(pid)).toBe(true);
    cli().ok(['kill', id, 'KILL']);
    until(() => !isRunning(pid), 'the end of the process');
    expect(cli().run(['kill', id, 'KILL']).stderr).toBe('container not running\n');
  });

  it('kills a paused container', () => {
    const id = cli().start();
    cli().ok(['pause', id]);
    cli().ok(['kill', id, 'KILL']);
    cli().waitFor(id, 'stopped');
  });

  describe('when the pid belongs to another process by now', () => {
    let stranger: ChildProcess;
    beforeEach(() => {
      stranger = spawn('sleep', ['1000'], { stdio: 'ignore' });
    });
    afterEach(() => stranger.kill('SIGKILL'));

    it('does not touch that process', () => {
      const id = cli().start(args('true'));
      cli().waitFor(id, 'stopped');
      appendFileSync(recordFile(cli().root, id), `\n${JSON.stringify({ ...recordOf(cli().root, id), pid: stranger.pid })}\n`);
      expect(cli().state(id)).toMatchObject({ status: 'stopped', pid: 0 });
      expect(cli().run(['kill', id, 'KILL']).stderr).toBe('container not running\n');
      cli().ok(['kill', '--all', id, 'KILL']);
      expect(cli().run(['pause', id]).stderr).toBe('container not running\n');
      expect(cli().ok(['ps', '-f', 'json', id])).toBe('[]\n');
      cli().ok(['delete', '--force', id]);
      expect(isRunning(stranger.pid ?? 0)).toBe(true);
    });
  });
});

function existsIn(bundle: string, path: string): boolean {
  try {
    readFileSync(join(bundle, 'rootfs', path));
    return true;
  } catch {
    return false;
  }
}
