/** The shim under docker: `docker run --runtime io.containerd.tsrun.v2`. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { builtCommand, command, describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { staticBusybox } from '../../runtime/test/bundle.ts';
import { Driver } from '../../runtime/test/engines/compare.ts';
import { startDocker } from '../../runtime/test/engines/docker.ts';
import { fetchedPackage, RUNTIME } from './containerd.ts';

// A daemon takes the name of a shim for a runtime from version 23 on.
const daemon = join(fetchedPackage('trixie', 'docker.io') ?? '/nonexistent', 'usr/sbin');
const newDocker = { what: 'dockerd (trixie)', met: existsSync(join(daemon, 'dockerd')) };
const NEEDS = [rootUser, staticBusybox, builtCommand('containerd-shim-tsrun-v2'), newDocker, command('docker'), command('runc')];
const COMMANDS = join(resolve(__dirname, '../..'), 'dist/bin');

describeWith(NEEDS, `docker run --runtime ${RUNTIME}`, () => {
  let docker: Driver;
  const run = ['run', '--runtime', RUNTIME];
  const state = () => docker.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'first']);

  beforeAll(() => {
    const { enclosure, engine } = startDocker('runc', { PATH: `${daemon}:${COMMANDS}:/usr/sbin:/usr/bin:/sbin:/bin` });
    docker = new Driver(RUNTIME, enclosure, engine);
  });
  afterAll(() => docker.enclosure.dispose());

  it('runs programs: output, input, user, exit status, on a bridge', () => {
    expect(docker.ok([...run, '--rm', 'busybox', 'echo', 'hello'])).toBe('hello');
    expect(docker.ok([...run, '--rm', '-i', 'busybox', 'cat'], { input: 'typed' })).toBe('typed');
    expect(docker.ok([...run, '--rm', '-u', 'guest', '-e', 'A=b', 'busybox', 'sh', '-c', 'id -u; echo $A'])).toBe('405\nb');
    expect(docker.run([...run, '--rm', 'busybox', 'sh', '-c', 'echo err >&2; exit 7'])).toEqual({ status: 7, stdout: '', stderr: 'err\n' });
    expect(docker.ok([...run, '--rm', 'busybox', 'sh', '-c', 'ip -4 -o addr show eth0 | grep -o "172[0-9.]*/"'])).toMatch(/^172\.17\./);
    expect(docker.run([...run, '--rm', 'busybox', 'nowhere']).status).toBe(127);
  });

  it('keeps them running: exec, logs, pause, stop, start, kill', () => {
    docker.ok([
      ...run,
      '-d',
      '--name',
      'first',
      'busybox',
      'sh',
      '-c',
      'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done',
    ]);
    expect(docker.ok(['exec', '-i', 'first', 'cat'], { input: 'typed' })).toBe('typed');
    expect(docker.run(['exec', 'first', 'sh', '-c', 'exit 9']).status).toBe(9);
    docker.ok(['pause', 'first']);
    expect(state()).toBe('paused 0');
    docker.ok(['unpause', 'first']);
    docker.ok(['stop', '--time', '60', 'first']);
    expect(state()).toBe('exited 3');
    expect(docker.ok(['logs', 'first'])).toBe('up\nbye');
    docker.ok(['start', 'first']);
    docker.ok(['kill', 'first']);
    expect(docker.ok(['wait', 'first'])).toBe('137');
    docker.ok(['rm', 'first']);
  });
});
