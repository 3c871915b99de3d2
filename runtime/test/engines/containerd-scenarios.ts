/** What containerd's shim for runc does with a runtime. */

import { atTerminal } from './at-terminal.ts';
import type { Driver } from './compare.ts';
import { ROOTFS, RUNTIME_FLAGS } from './containerd.ts';

export function runScenarios(driver: () => Driver): void {
  let ctr: Driver;
  beforeEach(() => {
    ctr = driver();
  });
  const remove = (id: string) => {
    ctr.ok(['task', 'kill', '--signal', 'SIGKILL', id]);
    ctr.quietly(['task', 'delete', '--force', id]);
    ctr.ok(['container', 'delete', id]);
  };

  it('run: output, environment, user, exit status', () => {
    expect(ctr.ok(['run', '--rm', RUNTIME_FLAGS, ROOTFS, 'a', 'echo', 'hello'])).toBe('hello');
    expect(ctr.ok(['run', '--rm', '--env', 'A=b', '--cwd', '/home', RUNTIME_FLAGS, ROOTFS, 'a', 'sh', '-c', 'echo $A; pwd'])).toBe(
      'b\n/home',
    );
    expect(ctr.run(['run', '--rm', RUNTIME_FLAGS, ROOTFS, 'a', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(ctr.run(['run', '--rm', '--seccomp', '--read-only', RUNTIME_FLAGS, ROOTFS, 'a', 'touch', '/f']).status).toBe(1);
  });

  it.each<[string, readonly string[], string]>([
    ['a command that is not there', ['nowhere'], 'executable file not found in $PATH'],
    ['a file that is no program', ['/etc/passwd'], 'permission denied'],
  ])('run: %s', (_, words, message) => {
    expect(ctr.run(['run', '--rm', RUNTIME_FLAGS, ROOTFS, 'a', ...words])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(message),
    });
    expect(ctr.ok(['task', 'list', '--quiet'])).toBe('');
  });

  it('a task: exec, pause, resume, kill, delete, and what is not there', () => {
    ctr.ok(['run', '--detach', RUNTIME_FLAGS, ROOTFS, 'first', 'sleep', '1000']);
    expect(ctr.ok(['task', 'exec', '--exec-id', 'e', 'first', 'cat', '/proc/1/comm'])).toBe('sleep');
    expect(ctr.run(['task', 'exec', '--exec-id', 'e', 'first', 'sh', '-c', 'exit 9']).status).toBe(9);
    expect(ctr.run(['task', 'exec', '--exec-id', 'e', 'first', 'nowhere'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('executable file not found'),
    });
    ctr.ok(['task', 'pause', 'first']);
    expect(ctr.quietly(['task', 'list'])).toMatch(/first +\d+ +PAUSED/);
    expect(ctr.run(['task', 'exec', '--exec-id', 'e', 'first', 'true']).status).toBe(1);
    ctr.ok(['task', 'resume', 'first']);
    expect(ctr.quietly(['task', 'ps', 'first']).split('\n')).toHaveLength(2);
    ctr.ok(['task', 'kill', '--signal', 'SIGKILL', 'first']);
    ctr.quietly(['task', 'delete', 'first']);
    expect(ctr.run(['task', 'kill', 'first']).status).toBe(1);
    ctr.ok(['container', 'delete', 'first']);
  });

  it('a terminal', async () => {
    const status = await atTerminal(ctr, ['run', '--rm', '--tty', RUNTIME_FLAGS, ROOTFS, 'a', 'sh'], (pty) => {
      pty.expect(/# /);
      pty.type('test -t 0 && echo terminal-$((40 + 2))\n');
      pty.expect(/terminal-42/);
      pty.type('exit 5\n');
    });
    expect(status).toBe(5);
  });

  it('containers that are in use are not deleted', () => {
    ctr.ok(['run', '--detach', RUNTIME_FLAGS, ROOTFS, 'second', 'sleep', '1000']);
    expect(ctr.run(['container', 'delete', 'second']).status).toBe(1);
    expect(ctr.run(['run', '--detach', RUNTIME_FLAGS, ROOTFS, 'second', 'sleep', '1000']).status).toBe(1);
    remove('second');
  });
}

/** What needs a hierarchy with controllers. */
export function limitScenarios(driver: () => Driver): void {
  it('limits, and no memory left', () => {
    const ctr = driver();
    const limits = ['--memory-limit', '67108864', '--cpu-quota', '50000', '--cpu-period', '100000', '--cpu-shares', '512'];
    ctr.ok(['run', '--detach', ...limits, RUNTIME_FLAGS, ROOTFS, 'first', 'sleep', '1000']);
    const files = ['memory.max', 'cpu.max'].map((name) => `/sys/fs/cgroup/default/first/${name}`);
    const { stdout } = ctr.enclosure.run(['cat', ...files]);
    ctr.note(stdout);
    expect(stdout).toMatch(/^67108864\n50000 100000\n/);
    expect(ctr.quietly(['task', 'metrics', 'first'])).toContain('memory.usage_limit');
    ctr.ok(['task', 'kill', '--signal', 'SIGKILL', 'first']);
    ctr.quietly(['task', 'delete', '--force', 'first']);
    expect(ctr.run(['run', '--rm', '--memory-limit', '16777216', RUNTIME_FLAGS, ROOTFS, 'second', 'tail', '/dev/zero']).status).toBe(137);
  });
}
