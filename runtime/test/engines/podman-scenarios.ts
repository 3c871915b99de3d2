/** What podman does with a runtime, on any machine. */
import { atTerminal } from './at-terminal.ts';
import { type Driver, runtimePath } from './compare.ts';
import { dropIn, podman as podmanCommand, podmanUser } from './podman.ts';

const IMAGE = 'localhost/busybox';
/** An own network would need a bridge in the enclosure; a container without one has `lo`. */
const RUN = ['run', '--network', 'none'];

export function runScenarios(driver: () => Driver): void {
  let podman: Driver;
  beforeEach(() => {
    podman = driver();
  });
  afterEach(() => {
    podman.look(['rm', '--all', '--force', '--time', '0']);
  });
  const start = (name: string, ...flags: readonly string[]) => podman.ok([...RUN, '-d', '--name', name, ...flags, IMAGE, 'sleep', '1000']);

  it('run: output, input, environment, user, exit status', () => {
    expect(podman.ok([...RUN, '--rm', IMAGE, 'echo', 'hello'])).toBe('hello');
    expect(podman.ok([...RUN, '--rm', '-i', IMAGE, 'cat'], { input: 'typed' })).toBe('typed');
    expect(podman.ok([...RUN, '--rm', '-u', 'guest', '-e', 'A=b', '-w', '/home', IMAGE, 'sh', '-c', 'id; echo $A; pwd'])).toContain(
      'uid=405',
    );
    expect(podman.run([...RUN, '--rm', IMAGE, 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: expect.stringMatching(/err\n$/),
    });
  });

  it.each<[string, readonly string[], number]>([
    ['a command that is not there', [IMAGE, 'nowhere'], 127],
    ['a file that is not there', [IMAGE, '/bin/nowhere'], 127],
    ['a file that is no program', [IMAGE, '/etc/passwd'], 126],
    ['a directory', [IMAGE, '/etc'], 126],
    ['a folder that is not there', ['-w', '/nowhere', IMAGE, 'true'], 126],
    ['a mistake of the user', ['--no-such-flag', IMAGE], 125],
    ['a source of a mount that is not there', ['-v', '/nowhere/at/all:/mnt', IMAGE, 'true'], 125],
    ['a device that is not there', ['--device', '/dev/nowhere', IMAGE, 'true'], 125],
    ['death by a signal', ['--pid', 'host', IMAGE, 'sh', '-c', 'kill -TERM $$'], 143],
    ['an unknown user', ['-u', 'nobody-here', IMAGE, 'true'], 126],
  ])('run: %s', (_, words, status) => {
    expect(podman.run([...RUN, '--rm', ...words]).status).toBe(status);
  });

  it('exec: output, user, exit status, what is not there', () => {
    start('c');
    expect(podman.ok(['exec', 'c', 'cat', '/proc/1/comm'])).toBe('sleep');
    expect(podman.ok(['exec', '-i', 'c', 'cat'], { input: 'typed' })).toBe('typed');
    expect(podman.ok(['exec', '-u', 'guest', '-w', '/home', '-e', 'A=b', 'c', 'sh', '-c', 'id -u; pwd; echo $A'])).toBe('405\n/home\nb');
    expect(podman.run(['exec', 'c', 'sh', '-c', 'exit 9']).status).toBe(9);
    expect(podman.run(['exec', 'c', 'nowhere']).status).toBe(127);
    expect(podman.run(['exec', 'c', '/etc/passwd']).status).toBe(126);
    expect(podman.run(['exec', 'c', 'sh', '-c', 'kill -KILL $$']).status).toBe(137);
  });

  it('run -it and exec -it: size, keys, Ctrl-C, exit status', async () => {
    const status = await atTerminal(podman, [...RUN, '-it', '--name', 'c', IMAGE, 'sh'], (pty) => {
      pty.expect(/# /);
      pty.type('stty size\n');
      pty.expect(/31 97/);
      pty.type('test -t 0 && echo terminal-$((40 + 2))\n');
      pty.expect(/terminal-42/);
      pty.type('exit 5\n');
    });
    expect(status).toBe(5);
    start('d');
    const second = await atTerminal(
      podman,
      ['exec', '-it', 'd', 'sh', '-c', 'trap "exit 6" INT; echo ready-$((40 + 2)); while :; do sleep 0.1; done'],
      (pty) => {
        pty.expect(/ready-42/);
        pty.type('\u0003');
      },
    );
    expect(second).toBe(6);
  });

  it('namespaces of the host and of another container', () => {
    const script = 'for name in ipc pid uts; do readlink /proc/self/ns/$name; done';
    const host = podman.enclosure.run(['sh', '-c', script]).stdout;
    expect(podman.look([...RUN, '--rm', '--pid', 'host', '--ipc', 'host', '--uts', 'host', IMAGE, 'sh', '-c', script]).stdout).toBe(host);
    start('c');
    expect(podman.ok([...RUN, '--rm', '--pid', 'container:c', IMAGE, 'cat', '/proc/1/comm'])).toBe('sleep');
  });

  it('stop, kill, start, restart, wait, logs: states and exit statuses', () => {
    const state = (name: string) => podman.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}', name]);
    podman.ok([...RUN, '-d', '--name', 'c', IMAGE, 'sh', '-c', 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done']);
    podman.ok(['stop', 'c']);
    expect(state('c')).toBe('exited 3 false');
    expect(podman.ok(['logs', 'c'])).toBe('up\nbye');
    podman.ok(['start', 'c']);
    podman.ok(['restart', 'c']);
    expect(state('c')).toBe('running 0 false');
    podman.ok(['kill', 'c']);
    expect(podman.ok(['wait', 'c'])).toBe('137');
    expect(podman.run(['kill', 'c']).status).toBe(125);
    expect(podman.run(['exec', 'c', 'true']).status).toBe(255);
  });

  it('pause and unpause', () => {
    start('c');
    podman.ok(['pause', 'c']);
    expect(podman.ok(['inspect', '-f', '{{.State.Status}}', 'c'])).toBe('paused');
    expect(podman.run(['exec', 'c', 'true']).status).toBe(255);
    podman.ok(['unpause', 'c']);
    expect(podman.run(['unpause', 'c']).status).toBe(125);
    expect(podman.ok(['exec', 'c', 'echo', 'awake'])).toBe('awake');
  });

  it('--userns=auto', () => {
    expect(
      podman.ok([
        ...RUN,
        '--rm',
        '--userns=auto',
        IMAGE,
        'sh',
        '-c',
        'id -u; cat /proc/self/uid_map; echo x >/tmp/f; ls -ln /tmp/f | cut -c 1-30',
      ]),
    ).toMatch(/^0\n +0 +1000000 /);
  });

  it('pods: namespaces that are shared, generate kube', () => {
    // A cgroup of the pod's own, made by hand, gets a device program of podman's that refuses every device: with any runtime.
    podman.ok(['pod', 'create', '--name', 'p', '--network', 'none', '--share-parent=false']);
    podman.ok(['run', '-d', '--pod', 'p', '--name', 'c', IMAGE, 'sleep', '1000']);
    podman.ok(['run', '-d', '--pod', 'p', '--name', 'd', IMAGE, 'sleep', '1000']);
    const script = 'for name in ipc net uts pid; do readlink /proc/self/ns/$name; done';
    const [one, other] = ['c', 'd'].map((name) => podman.quietly(['exec', name, 'sh', '-c', script]).split('\n'));
    expect(one?.slice(0, 3)).toEqual(other?.slice(0, 3));
    expect(one?.[3]).not.toEqual(other?.[3]);
    expect(podman.ok(['pod', 'ps', '--format', '{{.Name}} {{.Status}} {{.NumberOfContainers}}'])).toBe('p Running 3');
    expect(podman.quietly(['generate', 'kube', 'p'])).toMatch(/kind: Pod[\s\S]*name: c\n[\s\S]*name: d\n/);
    podman.ok(['pod', 'stop', '--time', '0', 'p']);
    expect(podman.ok(['pod', 'ps', '--format', '{{.Status}}'])).toBe('Exited');
    podman.ok(['pod', 'rm', 'p']);
  });

  it('health checks', () => {
    start('c', '--health-cmd', 'test -e /tmp/well', '--health-interval', 'disable', '--health-retries', '1');
    expect(podman.run(['healthcheck', 'run', 'c']).status).toBe(1);
    podman.ok(['exec', 'c', 'touch', '/tmp/well']);
    expect(podman.run(['healthcheck', 'run', 'c']).status).toBe(0);
    expect(podman.ok(['inspect', '-f', '{{.State.Healthcheck.Status}}', 'c'])).toBe('healthy');
  });

  it('rights, read-only root, mounts', () => {
    expect(podman.ok([...RUN, '--rm', '--cap-drop', 'all', IMAGE, 'grep', 'CapEff', '/proc/self/status'])).toMatch(/0{16}$/);
    expect(podman.run([...RUN, '--rm', '--read-only', IMAGE, 'touch', '/f']).status).toBe(1);
    const script = 'touch /mnt/f && grep -E " /(mnt|proc|sys|dev|tmp) " /proc/self/mounts | cut -d " " -f 2,3 && ls /dev';
    expect(podman.ok([...RUN, '--rm', '--tmpfs', '/mnt', '--security-opt', 'no-new-privileges', IMAGE, 'sh', '-c', script])).toContain(
      '/mnt tmpfs',
    );
    expect(podman.ok([...RUN, '--rm', '--privileged', IMAGE, 'sh', '-c', 'grep Seccomp: /proc/self/status'])).toMatch(/0$/);
  });

  it('a drop-in of containers.conf names the runtime', () => {
    const { enclosure } = podman;
    const path = runtimePath(podman.runtime);
    enclosure.run(['sh', '-c', 'cat >/etc/containers/containers.conf.d/tsrun.conf'], { input: dropIn(path) });
    const command = podmanCommand(enclosure.directory);
    expect(enclosure.run([...command, 'info', '--format', '{{.Host.OCIRuntime.Path}}']).stdout.trim()).toBe(path);
    expect(enclosure.run([...command, ...RUN, '--rm', IMAGE, 'echo', 'hello'])).toMatchObject({ status: 0, stdout: 'hello\n' });
    enclosure.run(['rm', '/etc/containers/containers.conf.d/tsrun.conf']);
  });

  it('without root: run, exec, exit statuses', () => {
    const user = ['setpriv', '--reuid', `${podmanUser.uid}`, '--regid', `${podmanUser.uid}`, '--clear-groups'];
    const home = `/run/user/${podmanUser.uid}`;
    const env = { ...podman.env, HOME: home, XDG_RUNTIME_DIR: home, USER: podmanUser.name };
    const command = (...words: readonly string[]) => {
      const line = [
        'podman',
        '--storage-driver',
        'vfs',
        '--cgroup-manager',
        'cgroupfs',
        '--events-backend',
        'file',
        '--runtime',
        runtimePath(podman.runtime),
        ...words,
      ];
      const result = podman.enclosure.run([...user, ...line], { env });
      podman.note(`${words.join(' ')}\n=> ${result.status}\n${result.stdout}${result.stderr}`);
      return result;
    };
    expect(command('import', '--quiet', `${podman.enclosure.directory}/rootfs.tar`, 'busybox').status).toBe(0);
    expect(command(...RUN, '--rm', IMAGE, 'sh', '-c', 'id -u; cat /proc/self/uid_map; exit 4')).toMatchObject({
      status: 4,
      stdout: expect.stringMatching(/^0\n +0 +54321 +1\n +1 +543210 +65536\n/),
    });
    expect(command(...RUN, '--rm', IMAGE, 'nowhere').status).toBe(127);
    expect(command(...RUN, '-d', '--name', 'c', IMAGE, 'sleep', '1000').status).toBe(0);
    expect(command('exec', 'c', 'sh', '-c', 'exit 3').status).toBe(3);
    expect(command('stop', '--time', '0', 'c').status).toBe(0);
    expect(command('inspect', '-f', '{{.State.ExitCode}}', 'c').stdout.trim()).toBe('137');
    expect(command('rm', 'c').status).toBe(0);
  });
}

/** What needs a hierarchy with controllers. */
export function limitScenarios(driver: () => Driver): void {
  let podman: Driver;
  beforeEach(() => {
    podman = driver();
  });
  afterEach(() => {
    podman.look(['rm', '--all', '--force', '--time', '0']);
  });
  const files = ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max', 'cpuset.cpus'];
  const read = `cd /sys/fs/cgroup && grep . ${files.join(' ')}`;

  it('limits, and update', () => {
    const flags = ['--memory', '64m', '--memory-swap', '96m', '--pids-limit', '50', '--cpus', '0.5', '--cpuset-cpus', '0'];
    podman.ok([...RUN, '-d', '--name', 'c', ...flags, IMAGE, 'sleep', '1000']);
    expect(podman.ok(['exec', 'c', 'sh', '-c', read]).split('\n')).toEqual(
      expect.arrayContaining(['memory.max:67108864', 'memory.swap.max:33554432', 'pids.max:50', 'cpu.max:50000 100000', 'cpuset.cpus:0']),
    );
    podman.ok(['update', '--memory', '32m', '--cpus', '0.25', 'c']);
    expect(podman.ok(['exec', 'c', 'sh', '-c', read]).split('\n')).toEqual(
      expect.arrayContaining(['memory.max:33554432', 'cpu.max:25000 100000']),
    );
    expect(podman.ok(['stats', '--no-stream', '--format', '{{.PIDs}}', 'c'])).toBe('1');
  });

  it('no memory left, no right to a device', () => {
    expect(podman.run([...RUN, '--name', 'c', '--memory', '16m', '--memory-swap', '16m', IMAGE, 'tail', '/dev/zero']).status).toBe(137);
    expect(podman.ok(['inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'c'])).toMatch(/137$/);
    const script = 'mknod /tmp/kmsg c 1 11 && mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero && head -c 1 /tmp/kmsg';
    expect(podman.run([...RUN, '--rm', IMAGE, 'sh', '-c', script])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Operation not permitted'),
    });
    expect(
      podman.run([...RUN, '--rm', '--device', '/dev/kmsg:/dev/log:r', IMAGE, 'sh', '-c', 'exec 3</dev/log && exec 4>/dev/log']).status,
    ).not.toBe(0);
  });
}
