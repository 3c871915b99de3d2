import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { io } from '../../../specs/containerd/gen/containerd.js';
import { bigintOf } from '../../../specs/containerd/uint64.ts';
import { StatusCode } from '../base/status.ts';
import { Ground, json, shell } from './test/ground.ts';

const { notFound, alreadyExists, failedPrecondition, invalidArgument, unimplemented } = StatusCode;

describeWith([rootUser, staticBusybox], 'a task in its states', () => {
  let ground: Ground;

  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.dispose());

  it('is unknown until it is created', async () => {
    const { client } = ground;
    const id = 'task-unknown';
    const calls = [
      'State',
      'Start',
      'Delete',
      'Pids',
      'Pause',
      'Resume',
      'Checkpoint',
      'Kill',
      'Exec',
      'ResizePty',
      'CloseIO',
      'Update',
      'Wait',
      'Stats',
    ] as const;
    for (const method of calls) await expect(client[method]({ id })).rejects.toMatchObject({ code: notFound });
    expect(await client.Connect({ id })).toMatchObject({ shimPid: process.pid, taskPid: 0, version: 'test' });
    await client.Shutdown({ id });
    expect(ground.shutdowns).toBe(1);
  });

  it('cannot be created twice, with a bad id, or of a broken bundle; nothing is left then', async () => {
    const { client } = ground;
    const bundle = ground.bundle();
    await client.Create({ id: 'task-twice', bundle });
    await expect(client.Create({ id: 'task-twice', bundle })).rejects.toMatchObject({ code: alreadyExists });
    await expect(client.Create({ id: '../x', bundle })).rejects.toMatchObject({ code: invalidArgument });
    await expect(client.Create({ id: 'task-rel', bundle: 'relative' })).rejects.toMatchObject({ code: invalidArgument });
    await expect(client.Create({ id: 'task-none', bundle: '/no/bundle' })).rejects.toMatchObject({
      message: expect.stringMatching(/^OCI runtime create failed: .*no such file or directory/),
    });
    await expect(client.Create({ id: 'task-missing', bundle: ground.bundle(args('no-such-program')) })).rejects.toMatchObject({
      message: expect.stringContaining('executable file not found in $PATH'),
    });
    await expect(client.Create({ id: 'task-pipe', bundle, stdout: '/no/pipe' })).rejects.toMatchObject({ code: notFound });
    await expect(client.Create({ id: 'task-uri', bundle, stdout: 'gopher:///x' })).rejects.toMatchObject({ code: invalidArgument });
    await expect(
      client.Create({ id: 'task-opt', bundle, options: { type_url: 'what.Ever', value: new Uint8Array() } }),
    ).rejects.toMatchObject({
      code: invalidArgument,
    });
    for (const checkpoint of ['relative', '/no/image', '/dev/null']) {
      await expect(client.Create({ id: 'task-restore', bundle, checkpoint })).rejects.toMatchObject({ code: invalidArgument });
    }
    const withTerminal = { id: 'task-restore', bundle, checkpoint: ground.directory, terminal: true };
    await expect(client.Create(withTerminal)).rejects.toMatchObject({ code: unimplemented });
    expect(readdirSync(join(ground.directory, 'state'))).toEqual(['task-twice']);
    expect(readdirSync(join(ground.directory, 'root/test'))).toEqual(['task-twice']);
    expect(ground.history()).toEqual(['create task-twice']);
  });

  it('refuses what does not fit its state', async () => {
    const { client } = ground;
    const id = 'task-states';
    await client.Create({ id, bundle: ground.bundle() });
    await expect(client.Exec({ id, execId: 'e', spec: shell('true') })).rejects.toMatchObject({ code: failedPrecondition });
    await client.Start({ id });
    await expect(client.Start({ id })).rejects.toMatchObject({ code: failedPrecondition });
    await expect(client.Delete({ id })).rejects.toMatchObject({
      code: failedPrecondition,
      message: expect.stringContaining('cannot delete a running process'),
    });
    await expect(client.Resume({ id })).rejects.toMatchObject({ code: failedPrecondition });
    await expect(client.Checkpoint({ id })).rejects.toMatchObject({ code: invalidArgument });
    await expect(client.Checkpoint({ id: 'task-nobody', path: '/x' })).rejects.toMatchObject({ code: notFound });
    await expect(client.Update({ id, resources: json({ pids: { limit: 'many' } }) })).rejects.toMatchObject({ code: invalidArgument });
    await client.Shutdown({ id });
    expect(ground.shutdowns).toBe(0);
    await client.Kill({ id, signal: 9 });
    await client.Wait({ id });
    await expect(client.Kill({ id, signal: 9 })).rejects.toMatchObject({ code: notFound });
    await client.Kill({ id, signal: 9, all: true });
    await expect(client.Start({ id })).rejects.toMatchObject({ code: failedPrecondition });
    await expect(client.Pause({ id })).rejects.toMatchObject({ code: failedPrecondition });
    await expect(client.Exec({ id, execId: 'e', spec: shell('true') })).rejects.toMatchObject({ code: failedPrecondition });
    expect((await client.Pids({ id })).processes).toHaveLength(1);
    const [first, second] = await Promise.allSettled([client.Delete({ id }), client.Delete({ id })]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { code: notFound } });
  });

  it('that was never started is killed, and deleted', async () => {
    const { client } = ground;
    await client.Create({ id: 'task-c1', bundle: ground.bundle() });
    await client.Kill({ id: 'task-c1', signal: 9 });
    expect(await client.Wait({ id: 'task-c1' })).toMatchObject({ exitStatus: 137 });
    await client.Delete({ id: 'task-c1' });
    await client.Create({ id: 'task-c2', bundle: ground.bundle() });
    await client.Delete({ id: 'task-c2' });
    expect(ground.history().slice(-3)).toEqual(['create task-c2', expect.stringMatching(/^exit task-c2/), 'delete task-c2']);
  });

  it('refuses bad execs, and keeps those that failed to start deletable', async () => {
    const { client } = ground;
    const id = 'task-execs';
    await client.Create({ id, bundle: ground.bundle() });
    await client.Start({ id });
    await expect(client.Exec({ id, execId: '', spec: shell('true') })).rejects.toMatchObject({ code: invalidArgument });
    await expect(client.Exec({ id, execId: 'x', spec: json({ args: 'no list' }) })).rejects.toMatchObject({ code: invalidArgument });
    await client.Exec({ id, execId: 'never', spec: shell('true') });
    const [waiting] = await Promise.all([
      client.Wait({ id, execId: 'never' }).catch((error: unknown) => error),
      client.Delete({ id, execId: 'never' }),
    ]);
    expect(waiting).toMatchObject({ code: notFound });
    await client.Exec({ id, execId: 'e', spec: shell('sleep 100') });
    await expect(client.Exec({ id, execId: 'e', spec: shell('true') })).rejects.toMatchObject({ code: alreadyExists });
    await expect(client.Kill({ id, execId: 'e', signal: 9 })).rejects.toMatchObject({ code: failedPrecondition });
    await client.Start({ id, execId: 'e' });
    await expect(client.Delete({ id, execId: 'e' })).rejects.toMatchObject({ code: failedPrecondition });
    const info = (await client.Pids({ id })).processes?.filter((entry) => (entry.info ?? undefined) !== undefined);
    expect(info).toHaveLength(1);
    await client.Kill({ id, execId: 'e', signal: 15 });
    expect(await client.Wait({ id, execId: 'e' })).toMatchObject({ exitStatus: 143 });
    await expect(client.Kill({ id, execId: 'e', signal: 15 })).rejects.toMatchObject({ code: notFound });
    await client.Delete({ id, execId: 'e' });
    await client.Exec({ id, execId: 'bad', spec: json({ args: ['/none'], cwd: '/' }) });
    await expect(client.Start({ id, execId: 'bad' })).rejects.toMatchObject({
      message: expect.stringMatching(/^OCI runtime exec failed: .*no such file/),
    });
    await client.Delete({ id, execId: 'bad' });
    await client.Exec({ id, execId: 'unstarted', spec: shell('true') });
    await client.Delete({ id, execId: 'unstarted' });
    await expect(client.State({ id, execId: 'unstarted' })).rejects.toMatchObject({ code: notFound });
  });

  it("tells the ends of execs before the init's", async () => {
    const { client } = ground;
    const id = 'task-order';
    await client.Create({ id, bundle: ground.bundle() });
    await client.Start({ id });
    for (const execId of ['a', 'b', 'c']) {
      await client.Exec({ id, execId, spec: shell('sleep 100') });
      await client.Start({ id, execId });
    }
    await client.Kill({ id, signal: 9 });
    await client.Wait({ id });
    const ends = ground.history().filter((line) => line.startsWith('exit'));
    expect(ends).toHaveLength(4);
    expect(ends.at(-1)).toBe('exit task-order 137');
  });

  it('that shares the pid namespace of the host takes its other processes with it', async () => {
    const { client } = ground;
    const id = 'task-hostpid';
    const bundle = ground.bundle(args('sh', '-c', 'sleep 100 & sleep 100 & exec sleep 100'), (config) => {
      if (config.linux?.namespaces !== undefined) config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
    });
    await client.Create({ id, bundle });
    const { pid } = await client.Start({ id });
    await client.Exec({ id, execId: 'a', spec: shell('sleep 100') });
    await client.Start({ id, execId: 'a' });
    process.kill(pid ?? 0, 'SIGKILL');
    await client.Wait({ id });
    expect(await client.State({ id, execId: 'a' })).toMatchObject({ status: 3 });
    await client.Delete({ id });
    expect(ground.history().slice(-3)).toEqual(['exit a 137', 'exit task-hostpid 137', 'delete task-hostpid']);
  });

  it('is paused and resumed', async () => {
    const { client } = ground;
    const id = 'task-pause';
    await client.Create({ id, bundle: ground.bundle() });
    await client.Start({ id });
    await client.Pause({ id });
    expect(await client.State({ id })).toMatchObject({ status: 4 });
    await expect(client.Pause({ id })).rejects.toMatchObject({ code: failedPrecondition });
    await expect(client.Delete({ id })).rejects.toMatchObject({ code: failedPrecondition, message: expect.stringContaining('paused') });
    await client.Resume({ id });
    expect(await client.State({ id })).toMatchObject({ status: 2 });
    expect(ground.history().slice(-2)).toEqual(['paused', 'resumed']);
  });

  it('has statistics', async () => {
    const { client } = ground;
    const id = 'task-stats';
    await client.Create({ id, bundle: ground.bundle() });
    await client.Start({ id });
    const { stats } = await client.Stats({ id });
    expect(stats?.type_url).toBe('io.containerd.cgroups.v2.Metrics');
    const metrics = io.containerd.cgroups.v2.Metrics.decode(stats?.value ?? new Uint8Array());
    expect(bigintOf(metrics.pids?.current ?? 0)).toBe(1n);
    expect(metrics.cpu).toBeDefined();
    await client.Update({ id, resources: json({}) });
  });

  it('fails a start with its hook, and can be deleted then', async () => {
    const { client } = ground;
    const id = 'task-hook';
    const bundle = ground.bundle((config) => {
      config.hooks = { poststart: [{ path: '/bin/false' }] };
    });
    await client.Create({ id, bundle });
    await expect(client.Start({ id })).rejects.toMatchObject({ message: expect.stringContaining('error running poststart hook') });
    await client.Wait({ id });
    await client.Delete({ id });
    expect(existsSync(join(ground.directory, 'root/test', id))).toBe(false);
  });
});
