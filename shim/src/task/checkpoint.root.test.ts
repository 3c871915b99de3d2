/** Checkpoints that fail, whatever CRIU there is. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { Ground, textOf } from './test/ground.ts';

describeWith([rootUser, staticBusybox, command('criu')], 'a checkpoint', () => {
  let ground: Ground;

  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.dispose());

  it('that is no image cannot be started, and the task can be deleted', async () => {
    const { client } = ground;
    const id = 'task-empty';
    const bundle = ground.bundle(args('sleep', '100'));
    const checkpoint = join(ground.directory, 'empty');
    mkdirSync(checkpoint);
    expect(await client.Create({ id, bundle, checkpoint })).toMatchObject({ pid: 0 });
    expect(await client.State({ id })).toMatchObject({ status: 1, pid: 0 });
    await expect(client.Kill({ id, signal: 9 })).rejects.toThrow(/is not created/);
    await expect(client.Start({ id })).rejects.toThrow(/OCI runtime restore failed: criu failed/);
    expect(textOf(join(bundle, 'criu-restore.log'))).toMatch(/Error/);
    expect(existsSync(join(ground.directory, 'state', id, 'criu-work'))).toBe(false);
    const ended = client.Wait({ id });
    expect(await client.Delete({ id })).toMatchObject({ pid: 0, exitStatus: 0 });
    expect(await ended).toMatchObject({ exitStatus: 0 });
    expect(ground.ids()).toEqual([]);
    expect(ground.history()).toEqual([`create ${id}`, `delete ${id}`]);
  });

  it('to a place that cannot be is an error, and the task goes on', async () => {
    const { client } = ground;
    const id = 'task-nowhere';
    await client.Create({ id, bundle: ground.bundle(args('sleep', '100')) });
    await client.Start({ id });
    await expect(client.Checkpoint({ id, path: '/dev/null/image' })).rejects.toThrow(/OCI runtime checkpoint failed: .*\/dev\/null\/image/);
    expect(await client.State({ id })).toMatchObject({ status: 2 });
    expect(ground.history()).toEqual([`create ${id}`, `start ${id}`]);
  });
});
