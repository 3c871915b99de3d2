/** tsctl as a user has it: the built commands, real containers, real networks; in network and mount namespaces of the test's own. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, itWith } from '../../.scripts/jest/requirement.ts';
import { networkTools, PATIENCE_MS, stageRequirements, TsctlStage, until } from './tsctl-stage.ts';

jest.setTimeout(PATIENCE_MS);

describeWith(stageRequirements, 'tsctl', () => {
  let stage: TsctlStage;
  const tsctl = (...words: string[]) => stage.tsctl(...words);
  const succeeds = (...words: string[]) => stage.succeeds(...words);

  beforeAll(async () => {
    stage = await TsctlStage.open();
  }, PATIENCE_MS);

  afterAll(() => stage.close(), PATIENCE_MS);

  it(
    'runs, with the exit code of the program, or why it did not run',
    () => {
      expect(succeeds('run', '--rm', '--network', 'none', 'busybox', 'echo', 'hello')).toBe('hello\n');
      expect(tsctl('run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', 'exit 3').code).toBe(3);
      expect(tsctl('run', '--rm', '--network', 'none', 'busybox', 'no-such').code).toBe(127);
      expect(tsctl('run', '--rm', '--network', 'none', 'busybox', '/etc').code).toBe(126);
      expect(tsctl('run', '--no-such-flag', 'busybox')).toMatchObject({
        code: 125,
        stderr: expect.stringContaining('unknown flag: --no-such-flag'),
      });
      expect(
        succeeds('run', '--rm', '--network', 'none', '-u', 'web', '-w', '/www', '-e', 'A=1', 'busybox', 'sh', '-c', 'id -u; pwd; echo $A'),
      ).toBe('33\n/www\n1\n');
      expect(succeeds('ps', '-aq')).toBe('');
    },
    PATIENCE_MS,
  );

  it(
    'holds a container in the background: ps, logs, exec, stop, start, rm',
    () => {
      const id = succeeds(
        'run',
        '-d',
        '--name',
        'bg',
        '--network',
        'none',
        'busybox',
        'sh',
        '-c',
        'echo out; echo err >&2; exec sleep 1000',
      ).trim();
      expect(id).toMatch(/^[a-f0-9]{64}$/);
      expect(tsctl('run', '--name', 'bg', 'busybox', 'true')).toMatchObject({
        code: 125,
        stderr: expect.stringContaining('Conflict. The container name "/bg"'),
      });
      expect(succeeds('ps', '--format', '{{.Names}} {{.Status}}')).toMatch(/^bg Up /);
      expect(tsctl('exec', 'bg', 'sh', '-c', 'echo in; exit 7')).toMatchObject({ code: 7, stdout: 'in\n' });
      expect(tsctl('rm', 'bg').stderr).toContain('container is running');
      expect(succeeds('stop', '-t', '0', 'bg')).toBe('bg\n');
      expect(tsctl('logs', 'bg')).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
      expect(succeeds('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', id.slice(0, 12))).toBe('exited 137\n');
      succeeds('start', 'bg');
      expect(succeeds('rm', '-f', 'bg')).toBe('bg\n');
      expect(tsctl('inspect', 'bg')).toMatchObject({ code: 1, stdout: '[]\n', stderr: 'error: no such object: bg\n' });
    },
    PATIENCE_MS,
  );

  it(
    'shows and keeps what a container has changed',
    () => {
      tsctl('run', '--name', 'changed', '--network', 'none', 'busybox', 'sh', '-c', 'echo x > /etc/new; rm /etc/group; mkdir /a');
      expect(succeeds('diff', 'changed')).toBe('A /a\nC /etc\nD /etc/group\nA /etc/new\n');
      expect(succeeds('commit', '-c', 'CMD ["cat","/etc/new"]', 'changed', 'mine:1')).toMatch(/^sha256:[a-f0-9]{64}\n$/);
      expect(succeeds('run', '--rm', '--network', 'none', 'mine:1')).toBe('x\n');
      writeFileSync(join(stage.directory, 'file'), 'sent\n');
      succeeds('cp', join(stage.directory, 'file'), 'changed:/tmp/there');
      succeeds('cp', 'changed:/tmp/there', join(stage.directory, 'back'));
      expect(readFileSync(join(stage.directory, 'back'), 'utf8')).toBe('sent\n');
      succeeds('rm', 'changed');
    },
    PATIENCE_MS,
  );

  it(
    'starts again what fails, as often as its policy says, and fills volumes from the image',
    async () => {
      succeeds(
        'run',
        '-d',
        '--name',
        'failing',
        '--restart',
        'on-failure:2',
        '--network',
        'none',
        'busybox',
        'sh',
        '-c',
        'echo run; exit 4',
      );
      await until(() => succeeds('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', 'failing') === 'exited 2\n');
      expect(succeeds('logs', 'failing')).toBe('run\nrun\nrun\n');
      succeeds('rm', 'failing');
      expect(succeeds('run', '--rm', '--network', 'none', '-v', 'vol:/www', 'busybox', 'cat', '/www/index.html')).toBe('It works!\n');
      succeeds('volume', 'rm', 'vol');
    },
    PATIENCE_MS,
  );

  it(
    'survives the end of the shim: the container goes on, and the next command finds it',
    () => {
      succeeds('run', '-d', '--name', 'survivor', '--network', 'none', 'busybox', 'sleep', '1000');
      for (const pid of stage.shimPids()) process.kill(pid, 'SIGKILL');
      expect(succeeds('ps', '--format', '{{.Names}}')).toBe('survivor\n');
      expect(succeeds('exec', 'survivor', 'echo', 'here')).toBe('here\n');
      succeeds('rm', '-f', 'survivor');
    },
    PATIENCE_MS,
  );

  itWith(networkTools, 'joins the bridge, publishes ports, and leaves no rule behind', async () => {
    succeeds('run', '-d', '--name', 'web', '-p', '8080:80', 'busybox', 'httpd', '-f', '-p', '80', '-h', '/www');
    await until(() => stage.inside(['busybox', 'wget', '-qO-', 'http://127.0.0.1:8080/']).stdout === 'It works!\n');
    expect(succeeds('port', 'web')).toContain('80/tcp -> 0.0.0.0:8080\n');
    expect(tsctl('run', '--rm', '-p', '8080:80', 'busybox', 'true')).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('port is already allocated'),
    });
    succeeds('network', 'create', 'lab');
    succeeds('network', 'connect', 'lab', 'web');
    expect(succeeds('run', '--rm', '--network', 'lab', 'busybox', 'wget', '-qO-', 'http://web/')).toBe('It works!\n');
    succeeds('rm', '-f', 'web');
    succeeds('network', 'rm', 'lab');
    const rules = stage.inside(['iptables-save']).stdout;
    // Of a container nothing is left; of a network, its rules are.
    expect(rules).not.toContain('8080');
    expect(rules.match(/ ! -o tsctl\S+ -j MASQUERADE/g)).toHaveLength(1);
  });
});
