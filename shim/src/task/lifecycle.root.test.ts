import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { StatusCode } from '../base/status.ts';
import { Ground } from './test/ground.ts';

describeWith([rootUser, staticBusybox], 'a task', () => {
  let ground: Ground;

  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.dispose());

  it('goes from create to delete, and says so in order', async () => {
    const { client } = ground;
    const bundle = ground.bundle(args('sh', '-c', 'exit 3'));
    const { pid } = await client.Create({ id: 'task-a', bundle });
    expect(await client.State({ id: 'task-a' })).toMatchObject({ status: 1, pid, bundle });
    const waiting = client.Wait({ id: 'task-a' });
    expect(await client.Start({ id: 'task-a' })).toEqual({ pid });
    expect(await waiting).toMatchObject({ exitStatus: 3 });
    expect(await client.State({ id: 'task-a' })).toMatchObject({ status: 3, exitStatus: 3 });
    expect(await client.Delete({ id: 'task-a' })).toMatchObject({ pid, exitStatus: 3 });
    expect(ground.history()).toEqual(['create task-a', 'start task-a', 'exit task-a 3', 'delete task-a']);
    expect(existsSync(join(ground.directory, 'state/task-a'))).toBe(false);
    await expect(client.State({ id: 'task-a' })).rejects.toMatchObject({ code: StatusCode.notFound });
  });

  it('is killed', async () => {
    const { client } = ground;
    await client.Create({ id: 'task-b', bundle: ground.bundle() });
    await client.Start({ id: 'task-b' });
    await client.Kill({ id: 'task-b', signal: 9 });
    expect(await client.Wait({ id: 'task-b' })).toMatchObject({ exitStatus: 137 });
    await client.Delete({ id: 'task-b' });
  });
});
