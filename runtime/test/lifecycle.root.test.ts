/** Containers from create to delete by the command line (runtime.md, "Lifecycle"). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { args } from './bundle.ts';
import { cgroupsOf, describeBothEngines, isRunning, until } from './cli.ts';

describeBothEngines('lifecycle', (cli) => {
  it('leads from create to delete', () => {
    const id = cli().id();
    const bundle = cli().bundle();
    const pidFile = join(cli().directory, 'pid');
    cli().create(id, bundle, '--pid-file', pidFile);
    const created = cli().state(id);
    expect(created).toEqual({
      ociVersion: '1.3.0',
      id,
      pid: Number(readFileSync(pidFile, 'utf8')),
      status: 'created',
      bundle,
      rootfs: join(bundle, 'rootfs'),
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      owner: 'root',
    });
    expect(cli().ok(['start', id])).toBe('');
    expect(cli().state(id)).toEqual({ ...created, status: 'running' });
    expect(cli().ok(['kill', id, 'KILL'])).toBe('');
    cli().waitFor(id, 'stopped');
    expect(cli().state(id)).toEqual({ ...created, status: 'stopped', pid: 0 });
    expect(cli().ok(['delete', id])).toBe('');
    expect(existsSync(join(cli().root, id))).toBe(false);
    expect(cgroupsOf(id)).toEqual([]);
    expect(cli().run(['state', id])).toEqual({ status: 1, stdout: '', stderr: `container does not exist: ${id}\n` });
  });

  it('keeps the configuration of create, whatever becomes of the bundle', () => {
    const id = cli().id();
    const bundle = cli().bundle(args('sh', '-c', 'echo first > /dev/console; sleep 1000'));
    cli().create(id, bundle);
    writeFileSync(join(bundle, 'config.json'), 'gone');
    cli().ok(['start', id]);
    expect(cli().state(id).status).toBe('running');
  });

  it('gives the container its standard streams', () => {
    const id = cli().id();
    const bundle = cli().bundle(args('sh', '-c', 'echo out; echo err >&2; read line; echo "in: $line"'));
    const output = join(cli().directory, 'output');
    writeFileSync(output, '');
    const { openSync, closeSync } = require('node:fs') as typeof import('node:fs');
    const fd = openSync(output, 'a');
    cli().run(['create', '--bundle', bundle, id], { stdio: ['ignore', fd, fd] });
    closeSync(fd);
    cli().ok(['start', id]);
    cli().waitFor(id, 'stopped');
    expect(readFileSync(output, 'utf8')).toBe('out\nerr\nin: \n');
  });

  it('pauses and resumes', () => {
    const id = cli().start(args('sh', '-c', 'while :; do echo; done > /dev/null'));
    cli().ok(['pause', id]);
    expect(cli().state(id).status).toBe('paused');
    expect(cli().run(['pause', id])).toEqual({ status: 1, stdout: '', stderr: 'container not running: container paused\n' });
    expect(cli().run(['delete', id]).stderr).toContain('that is not stopped: paused');
    cli().ok(['resume', id]);
    expect(cli().state(id).status).toBe('running');
    expect(cli().run(['resume', id])).toEqual({ status: 1, stdout: '', stderr: 'container not paused\n' });
  });

  it('deletes a created container, a running one by force, and a paused one', () => {
    const created = cli().id();
    cli().create(created, cli().bundle());
    const { pid } = cli().state(created);
    cli().ok(['delete', created]);
    until(() => !isRunning(pid), 'the end of init');
    const running = cli().start();
    cli().ok(['delete', '--force', running]);
    const paused = cli().start();
    cli().ok(['pause', paused]);
    cli().ok(['delete', '-f', paused]);
    expect([created, running, paused].flatMap(cgroupsOf)).toEqual([]);
    expect(cli().ok(['list', '-q'])).toBe('');
  });

  it('lists containers as a table, as JSON, and by name', () => {
    expect(cli().ok(['list'])).toBe('ID          PID         STATUS      BUNDLE      CREATED     OWNER\n');
    expect(cli().ok(['list', '--format=json'])).toBe('[]\n');
    const first = cli().start();
    const second = cli().id();
    cli().create(second, cli().bundle());
    expect(cli().ok(['list', '-q'])).toBe(`${first}\n${second}\n`);
    const listed: { id: string; status: string }[] = JSON.parse(cli().ok(['list', '-f', 'json']));
    expect(listed).toEqual([cli().state(first), cli().state(second)]);
    const [head, row] = cli().ok(['list']).split('\n');
    expect(head?.split(/ {3,}/)).toEqual(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']);
    expect(row?.indexOf('running')).toBe(head?.indexOf('STATUS'));
  });

  it('lists the processes of a container', () => {
    const id = cli().start(args('sh', '-c', 'sleep 900 & sleep 901; true'));
    const { pid } = cli().state(id);
    until(() => cli().pids(id).length === 3, 'three processes');
    expect(JSON.parse(cli().ok(['ps', '--format', 'json', id]))).toContain(pid);
    const rows = cli().look(['ps', id]).stdout.trim().split('\n');
    expect(rows.map((row) => row.replace(/.*\d\d:\d\d:\d\d +/, ''))).toEqual([
      expect.stringMatching(/ CMD$/),
      expect.stringMatching(/^sh -c/),
      'sleep 900',
      'sleep 901',
    ]);
    expect(cli().look(['ps', id, '-o', 'pid,args']).stdout.split('\n')[0]).toMatch(/^ *PID +COMMAND$/);
    expect(cli().run(['ps', id, '-o', 'args']).stderr).toContain("couldn't find PID field in ps output");
    cli().ok(['kill', id, '9']);
    cli().waitFor(id, 'stopped');
    expect(cli().ok(['ps', '-f', 'json', id])).toBe('[]\n');
  });
});
