import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import { PR_SET_CHILD_SUBREAPER } from '../../../runtime/src/linux/prctl.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { bundle, bundleDirectory } from './test/bundles.ts';
import { Ground } from './test/ground.ts';
import { PipeReader } from './test/reader.ts';

describeWith([rootUser, staticBusybox], 'containers of a shim that was killed', () => {
  let ground: Ground;
  let victim: ChildProcess | undefined;
  const directory = bundleDirectory();
  const script = bundle(directory, 'test/victim');

  beforeEach(() => {
    ground = new Ground();
    // What the killed one leaves becomes our child.
    call(ground.sys, 'prctl', '', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  });
  afterEach(async () => {
    victim?.kill('SIGKILL');
    await ground.dispose();
    call(ground.sys, 'prctl', '', PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const start = async (requests: readonly object[]): Promise<ChildProcess> => {
    const words = [script, join(ground.directory, 'state'), join(ground.directory, 'root'), JSON.stringify(requests)];
    const started = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    victim = started;
    await new Promise((resolve, reject) => {
      started.stdout?.once('data', resolve);
      started.once('exit', () => reject(new Error('it did not get ready')));
    });
    return started;
  };
  const kill = async (started: ChildProcess): Promise<void> => {
    const ended = new Promise((resolve) => started.once('exit', resolve));
    started.kill('SIGKILL');
    await ended;
  };

  it('go on, and so do their streams, execs and ends', async () => {
    const id = 'task-adopt';
    const [stdout, execOut] = [ground.pipe('out'), ground.pipe('exec-out')];
    const bundlePath = ground.bundle(
      args('sh', '-c', 'trap "echo bye; exit 9" TERM; i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.05; done'),
    );
    const reader = new PipeReader(stdout);
    const spec = JSON.stringify({
      args: ['sh', '-c', 'sleep 1.5; echo exec; exit 4'],
      cwd: '/',
      env: ['PATH=/bin'],
      user: { uid: 0, gid: 0 },
    });
    const started = await start([
      { method: 'Create', request: { id, bundle: bundlePath, stdout } },
      { method: 'Start', request: { id } },
      { method: 'Exec', request: { id, execId: 'e', stdout: execOut }, spec },
      { method: 'Start', request: { id, execId: 'e' } },
      { method: 'Exec', request: { id, execId: 'later' }, spec: spec.replace('1.5', '0') },
    ]);
    await reader.until(/tick 1\n/);
    const execReader = new PipeReader(execOut);
    await kill(started);
    await reader.ended;
    await ground.service.adopt();
    const { client } = ground;
    expect(await client.State({ id })).toMatchObject({ status: 2, bundle: bundlePath, stdout });
    const again = new PipeReader(stdout);
    const first = Number(/tick (\d+)/.exec(await again.until(/tick \d+\n/))?.[1]);
    expect(first).toBeGreaterThan(1);
    expect(await client.Wait({ id, execId: 'e' })).toMatchObject({ exitStatus: 4 });
    await client.Start({ id, execId: 'later' });
    expect(await client.Wait({ id, execId: 'later' })).toMatchObject({ exitStatus: 4 });
    await client.Kill({ id, signal: 15 });
    expect(await client.Wait({ id })).toMatchObject({ exitStatus: 9 });
    await client.Delete({ id });
    expect(await again.ended).toMatch(/bye\n$/);
    execReader.close();
    expect(ground.history()).toEqual(['exit e 4', 'exec-started later', 'exit later 4', `exit ${id} 9`, `delete ${id}`]);
  });

  it('that ended while nobody was there are told of, with their status where a parent has kept it', async () => {
    const requests = ['task-gone', 'task-waiting'].flatMap((id) => {
      const words = id === 'task-gone' ? args('sh', '-c', 'sleep 0.5; exit 6') : args('sleep', '100');
      return [
        { method: 'Create', request: { id, bundle: ground.bundle(words) } },
        ...(id === 'task-gone' ? [{ method: 'Start', request: { id } }] : []),
      ];
    });
    await kill(await start(requests));
    const record = JSON.parse(readFileSync(join(ground.directory, 'state/task-gone/task.json'), 'utf8'));
    const { pid } = record.processes[0];
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8');
    while (!/\) Z /.test(stat())) await new Promise((resolve) => setTimeout(resolve, 20));
    await ground.service.adopt();
    const { client } = ground;
    expect(await client.Wait({ id: 'task-gone' })).toMatchObject({ exitStatus: 6 });
    expect(await client.State({ id: 'task-waiting' })).toMatchObject({ status: 1 });
    await client.Start({ id: 'task-waiting' });
    expect(ground.history()).toEqual(['exit task-gone 6', 'start task-waiting']);
  });

  it('that were never told of are removed', async () => {
    const id = 'task-half';
    const started = await start([{ method: 'Create', request: { id, bundle: ground.bundle() } }]);
    await kill(started);
    const path = join(ground.directory, 'state', id, 'task.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    const store = { ...record, processes: [{ ...record.processes[0], phase: 'added' }] };
    writeFileSync(path, JSON.stringify(store));
    await ground.service.adopt();
    expect(ground.ids()).toEqual([]);
    await expect(ground.client.State({ id })).rejects.toMatchObject({ code: 5 });
  });
});
