/** What docker does with a runtime. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from './compare.ts';

const IMAGE = 'busybox';

export function runScenarios(driver: () => Driver): void {
  let docker: Driver;
  let run: readonly string[];
  beforeEach(() => {
    docker = driver();
    run = ['run', '--runtime', docker.runtime];
  });
  afterEach(() => {
    const { stdout } = docker.look(['ps', '--all', '--quiet']);
    if (stdout !== '') docker.look(['rm', '--force', ...stdout.trim().split('\n')]);
  });
  const state = (name: string) => docker.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}', name]);

  it('run: output, input, environment, user, exit status, on a bridge', () => {
    expect(docker.ok([...run, '--rm', IMAGE, 'echo', 'hello'])).toBe('hello');
    expect(docker.ok([...run, '--rm', '-i', IMAGE, 'cat'], { input: 'typed' })).toBe('typed');
    expect(docker.ok([...run, '--rm', '-u', 'guest', '-e', 'A=b', '-w', '/home', IMAGE, 'sh', '-c', 'id -u; echo $A; pwd'])).toBe(
      '405\nb\n/home',
    );
    expect(docker.run([...run, '--rm', IMAGE, 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(docker.ok([...run, '--rm', IMAGE, 'sh', '-c', 'ip -4 -o addr show eth0 | grep -o "172[0-9.]*/"'])).toMatch(/^172\.17\./);
  });

  it.each<[string, readonly string[], number]>([
    ['a command that is not there', [IMAGE, 'nowhere'], 127],
    ['a file that is not there', [IMAGE, '/bin/nowhere'], 127],
    ['a file that is no program', [IMAGE, '/etc/passwd'], 126],
    ['a mistake of the user', ['--no-such-flag', IMAGE], 125],
    ['a source of a mount that is not there', ['--mount', 'type=bind,source=/nowhere/at/all,target=/mnt', IMAGE, 'true'], 125],
    ['a device that is not there', ['--device', '/dev/nowhere', IMAGE, 'true'], 127],
    ['death by a signal', ['--pid', 'host', IMAGE, 'sh', '-c', 'kill -TERM $$'], 143],
    ['an unknown user', ['-u', 'nobody-here', IMAGE, 'true'], 125],
  ])('run: %s', (_, words, status) => {
    expect(docker.run([...run, '--rm', ...words]).status).toBe(status);
  });

  it('exec: output, user, exit status, what is not there', () => {
    docker.ok([...run, '-d', '--name', 'first', IMAGE, 'sleep', '1000']);
    expect(docker.ok(['exec', '-i', 'first', 'cat'], { input: 'typed' })).toBe('typed');
    expect(docker.ok(['exec', '-u', 'guest', '-w', '/home', '-e', 'A=b', 'first', 'sh', '-c', 'id -u; pwd; echo $A'])).toBe(
      '405\n/home\nb',
    );
    expect(docker.run(['exec', 'first', 'sh', '-c', 'exit 9']).status).toBe(9);
    expect(docker.run(['exec', 'first', 'nowhere']).status).toBe(126);
    expect(docker.run(['exec', 'first', '/etc/passwd']).status).toBe(126);
    expect(docker.run(['exec', 'first', 'sh', '-c', 'kill -KILL $$']).status).toBe(137);
    expect(docker.quietly(['top', 'first', '-o', 'pid,comm'])).toMatch(/ sleep$/);
  });

  it('logs, stop, restart, kill, wait, pause: states and exit statuses', () => {
    docker.ok([...run, '-d', '--name', 'first', IMAGE, 'sh', '-c', 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done']);
    docker.ok(['pause', 'first']);
    expect(state('first')).toBe('paused 0 false');
    docker.ok(['unpause', 'first']);
    docker.ok(['restart', 'first']);
    expect(state('first')).toBe('running 0 false');
    docker.ok(['stop', 'first']);
    expect(state('first')).toBe('exited 3 false');
    expect(docker.ok(['logs', 'first'])).toBe('up\nbye\nup\nbye');
    docker.ok(['start', 'first']);
    docker.ok(['kill', 'first']);
    expect(docker.ok(['wait', 'first'])).toBe('137');
    expect(docker.run(['exec', 'first', 'true']).status).toBe(1);
    docker.ok([...run, '-d', '--name', 'second', '--restart', 'on-failure:2', IMAGE, 'sh', '-c', 'echo again; exit 1']);
    docker.ok(['wait', 'second']);
    expect(docker.look(['logs', 'second']).stdout).toMatch(/^(again\n)+$/);
  });

  it('build', () => {
    const context = join(docker.enclosure.directory, 'context');
    mkdirSync(context, { recursive: true });
    writeFileSync(join(context, 'data'), 'some data\n');
    writeFileSync(
      join(context, 'Dockerfile'),
      `FROM ${IMAGE}\nCOPY data /data\nRUN tr a-z A-Z </data >/copy && id -u\nUSER guest\nRUN id -u >/tmp/user\nCMD ["cat", "/copy", "/tmp/user"]\n`,
    );
    docker.quietly(['build', '--network', 'none', '--tag', 'built', context]);
    expect(docker.ok([...run, '--rm', 'built'])).toBe('SOME DATA\n405');
    writeFileSync(join(context, 'Dockerfile'), `FROM ${IMAGE}\nRUN exit 4\n`);
    expect(docker.look(['build', '--network', 'none', context])).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('returned a non-zero code: 4'),
    });
  });
}

/** What needs a hierarchy with controllers. */
export function limitScenarios(driver: () => Driver): void {
  it('limits, update, and what goes beyond', () => {
    const docker = driver();
    const run = ['run', '--network', 'none', '--runtime', docker.runtime];
    const read = 'cd /sys/fs/cgroup && grep . memory.max memory.swap.max pids.max cpu.max cpuset.cpus';
    const flags = ['--memory', '64m', '--memory-swap', '96m', '--pids-limit', '50', '--cpus', '0.5', '--cpuset-cpus', '0'];
    docker.ok([...run, '-d', '--name', 'first', ...flags, IMAGE, 'sleep', '1000']);
    expect(docker.ok(['exec', 'first', 'sh', '-c', read]).split('\n')).toEqual([
      ...['memory.max:67108864', 'memory.swap.max:33554432', 'pids.max:50', 'cpu.max:50000 100000', 'cpuset.cpus:0'],
    ]);
    docker.ok(['update', '--memory', '32m', '--memory-swap', '48m', '--pids-limit', '40', '--cpus', '0.25', 'first']);
    expect(docker.ok(['exec', 'first', 'sh', '-c', read]).split('\n')).toEqual([
      ...['memory.max:33554432', 'memory.swap.max:16777216', 'pids.max:40', 'cpu.max:25000 100000', 'cpuset.cpus:0'],
    ]);
    expect(docker.run([...run, '--name', 'second', '--memory', '16m', '--memory-swap', '16m', IMAGE, 'tail', '/dev/zero']).status).toBe(
      137,
    );
    expect(docker.ok(['inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'second'])).toBe('true 137');
    const script = 'mknod /tmp/kmsg c 1 11 && mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero && head -c 1 /tmp/kmsg';
    expect(docker.run([...run, '--rm', IMAGE, 'sh', '-c', script])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Operation not permitted'),
    });
  });
}
