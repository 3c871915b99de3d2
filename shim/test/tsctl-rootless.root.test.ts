/** tsctl as a user has it who is not root: namespaces of the user's own, ids of /etc/subuid, networks by pasta or slirp4netns. */

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, itWith } from '../../.scripts/jest/requirement.ts';
import { ADDRESS, RootlessStage, rootlessRequirements } from './rootless-stage.ts';
import { PATIENCE_MS } from './tsctl-stage.ts';

/** Over and over, for an answer may be lost. */
const UDP_CLIENT = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (text) => { process.stdout.write(text); process.exit(0); });
const ask = () => socket.send('hello', 1194, '${ADDRESS}');
ask();
setInterval(ask, 200);
setTimeout(() => process.exit(1), 60000);
`;

jest.setTimeout(PATIENCE_MS);

describeWith(rootlessRequirements, 'tsctl without root', () => {
  let stage: RootlessStage;
  const tsctl = (...words: string[]) => stage.tsctl(...words);
  const succeeds = (...words: string[]) => stage.succeeds(...words);
  const without = ['--network', 'none'];

  beforeAll(async () => {
    stage = await RootlessStage.open();
  }, PATIENCE_MS);

  afterAll(() => stage.close(), PATIENCE_MS);

  it('runs, as the user and with the users of the image, and ends as the program does', () => {
    expect(succeeds('run', '--rm', ...without, 'busybox', 'sh', '-c', 'id -u; cat /proc/self/uid_map')).toMatch(
      /^0\n\s+0\s+51235\s+1\n\s+1\s+400000\s+65536\n$/,
    );
    expect(succeeds('run', '--rm', ...without, '-u', 'web', 'busybox', 'sh', '-c', 'id -u; stat -c %U /www/index.html')).toBe('33\nweb\n');
    expect(tsctl('run', '--rm', ...without, 'busybox', 'sh', '-c', 'exit 3').code).toBe(3);
    expect(tsctl('run', '--rm', ...without, 'busybox', 'no-such').code).toBe(127);
    expect(tsctl('run', '--no-such-flag', 'busybox').code).toBe(125);
    expect(succeeds('ps', '-aq')).toBe('');
  });

  it('holds a container in the background: ps, logs, exec, diff, stop, start, rm', () => {
    succeeds('run', '-d', '--name', 'bg', ...without, 'busybox', 'sh', '-c', 'echo out; echo err >&2; exec sleep 1000');
    expect(succeeds('ps', '--format', '{{.Names}} {{.Status}}')).toMatch(/^bg Up /);
    expect(tsctl('exec', 'bg', 'sh', '-c', 'echo x > /new; chown web /new; exit 7').code).toBe(7);
    expect(succeeds('diff', 'bg')).toBe('A /new\n');
    expect(succeeds('stop', '-t', '0', 'bg')).toBe('bg\n');
    expect(tsctl('logs', 'bg')).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    expect(succeeds('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'bg')).toBe('exited 137\n');
    succeeds('start', 'bg');
    expect(succeeds('exec', 'bg', 'stat', '-c', '%U', '/new')).toBe('web\n');
    expect(succeeds('rm', '-f', 'bg')).toBe('bg\n');
  });

  it('keeps what a container has changed, and builds', () => {
    const change = 'echo x > /kept; chown web /kept; rm /etc/group';
    succeeds('run', '-d', '--name', 'changed', ...without, 'busybox', 'sh', '-c', `${change}; exec sleep 1000`);
    succeeds('exec', 'changed', 'sh', '-c', 'until [ ! -e /etc/group ]; do sleep 0.1; done');
    expect(succeeds('commit', '-c', 'CMD ["stat","-c","%U","/kept"]', 'changed', 'mine')).toMatch(/^sha256:/);
    succeeds('rm', '-f', 'changed');
    expect(succeeds('run', '--rm', ...without, 'mine')).toBe('web\n');
    expect(tsctl('run', '--rm', ...without, 'mine', 'cat', '/etc/group').code).toBe(1);
    const context = join(stage.home, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), 'FROM mine\nRUN id -u > /built && chown web /built\nCMD ["stat","-c","%U","/built"]\n');
    chownSync(context, 51_235, 51_235);
    succeeds('build', '-q', '-t', 'built', 'context');
    expect(succeeds('run', '--rm', ...without, 'built')).toBe('web\n');
    succeeds('rmi', 'built', 'mine');
  });

  it('shares what is the host’s', () => {
    expect(succeeds('run', '--rm', '--network', 'host', 'busybox', 'cat', '/proc/net/dev')).toContain('outside:');
    expect(succeeds('run', '--rm', ...without, '--pid', 'host', '--ipc', 'host', 'busybox', 'ls', '-d', `/proc/${process.pid}`)).toBe(
      `/proc/${process.pid}\n`,
    );
    succeeds('run', '-d', '--name', 'one', ...without, 'busybox', 'sleep', '1000');
    expect(succeeds('run', '--rm', '--network', 'container:one', 'busybox', 'ls', '/sys/class/net')).toBe('lo\n');
    succeeds('rm', '-f', 'one');
  });

  it('says that limits are not kept', () => {
    expect(tsctl('run', '--rm', ...without, '-m', '64m', 'busybox', 'echo', 'free')).toMatchObject({
      code: 0,
      stdout: 'free\n',
      stderr: expect.stringContaining('limits are discarded'),
    });
  });

  it('finds its containers again after the end of who held them, and of the namespaces’ holder', () => {
    succeeds('run', '-d', '--name', 'survivor', ...without, 'busybox', 'sleep', '1000');
    const holder = stage.asUser(['cat', join(stage.home, 'run/tsrun/holder')]).stdout.split(' ')[0];
    process.kill(Number(holder), 'SIGKILL');
    expect(succeeds('exec', 'survivor', 'echo', 'here')).toBe('here\n');
    expect(succeeds('diff', 'survivor')).toBe('');
    succeeds('rm', '-f', 'survivor');
  });

  /** From the host; the server may still be about to listen. */
  function fetched(address: string): string {
    const get = `until busybox wget -qO- http://${address}/; do sleep 0.2; done`;
    return stage.inside(['timeout', '60', 'sh', '-c', get]).stdout;
  }

  function talks(): void {
    tsctl('rm', '-f', 'web');
    const ports = ['-p', '8080:80', '-p', '127.0.0.1:8081:80', '-p', '1194:1194/udp'];
    succeeds('run', '-d', '--name', 'web', ...ports, 'busybox', 'sh', '-c', 'httpd -h /www; exec udp-echo');
    for (const address of [`${ADDRESS}:8080`, '127.0.0.1:8080', '127.0.0.1:8081']) {
      expect(fetched(address)).toBe('It works!\n');
    }
    expect(stage.inside([process.execPath, '-e', UDP_CLIENT]).stdout).toBe('pong hello');
    expect(succeeds('port', 'web')).toContain('1194/udp -> 0.0.0.0:1194\n');
    expect(tsctl('run', '--rm', '-p', '8080:80', 'busybox', 'true')).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('port is already allocated'),
    });
    expect(tsctl('run', '--rm', '-p', '99:80', 'busybox', 'true')).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('permission denied'),
    });
    // And outwards, to a server of the host's.
    const server = stage.spawnInside(['busybox', 'httpd', '-f', '-p', `${ADDRESS}:8000`, '-h', join(stage.directory, 'image/www')]);
    try {
      const get = `until wget -qO- http://${ADDRESS}:8000/; do sleep 0.2; done`;
      expect(succeeds('exec', 'web', 'timeout', '60', 'sh', '-c', get)).toBe('It works!\n');
    } finally {
      server.kill();
    }
    succeeds('stop', '-t', '0', 'web');
    succeeds('start', 'web');
    expect(fetched(`${ADDRESS}:8080`)).toBe('It works!\n');
    succeeds('rm', '-f', 'web');
    expect(stage.inside(['busybox', 'wget', '-qO-', `http://${ADDRESS}:8080/`]).code).not.toBe(0);
  }

  itWith([command('pasta')], 'talks by pasta: published ports over TCP and UDP, and what is outside', () => {
    talks();
    expect(tsctl('network', 'create', 'lab')).toMatchObject({ code: 1, stderr: expect.stringContaining('default network only') });
  });

  itWith([command('slirp4netns')], 'talks by slirp4netns where pasta is not there', () => {
    stage.hide('pasta');
    talks();
  });

  it('says what is missing', () => {
    const session = (XDG_RUNTIME_DIR: string) => stage.asUser(stage.line('run', '--rm', 'busybox', 'true'), { XDG_RUNTIME_DIR });
    expect(session('')).toMatchObject({ code: 125, stderr: expect.stringMatching(/\/run\/user\/51235 is not there\n.*enable-linger/s) });
    expect(session('/etc')).toMatchObject({ code: 125, stderr: expect.stringContaining('belongs to somebody else') });
  });
});
